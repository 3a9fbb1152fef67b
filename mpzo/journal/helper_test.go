package journal

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func sampleHeader() Header {
	h := Header{
		Seed:    0x0123456789abcdef,
		Rank:    4,
		Alpha:   8,
		Sampler: 1,
		Q:       3,
		Eps:     1e-2,
		Sites: []Site{
			{ID: 0, Name: "model.layers.0.self_attn.q_proj"},
			{ID: 7, Name: "model.layers.0.mlp.down_proj"},
		},
		Settings: map[string]string{"task": "sst2", "batch": "4", "template": "{sentence} It was\ngreat|terrible"},
	}
	for i := range h.Program {
		h.Program[i] = byte(i)
		h.Start[i] = byte(255 - i)
	}
	return h
}

// sampleStep returns a step of numbers that float32 holds exactly, so that the
// golden file does not depend on rounding.
func sampleStep(number uint64, q int) Step {
	s := Step{Number: number, Seed: number * 0x9e3779b97f4a7c15, LR: 0.0078125, Loss: 2 - float32(number)/16}
	for i := range q {
		s.ProjGrads = append(s.ProjGrads, float32(i+1)/8-float32(number)/4)
	}
	return s
}

func sampleEval(step uint64) Eval {
	return Eval{Step: step, Of: step, Kind: EvalHeldOut, Metrics: HasLoss | HasAccuracy, Examples: 128, Loss: 0.625, Accuracy: 0.75}
}

// sampleTest has all metrics, and is of an adapter of an earlier step.
func sampleTest(step, of uint64) Eval {
	return Eval{
		Step: step, Of: of, Kind: EvalTest, Metrics: allMetrics, Examples: 64,
		Loss: 0.5, Accuracy: 0.875, F1: 0.8125, Exact: 0.25,
	}
}

// sampleBytes returns a journal of 3 steps and 4 evaluations, and where each of
// its records ends, the header first.
func sampleBytes() (data []byte, ends []int) {
	h := sampleHeader()
	data, check := encodeHead(&h, version)
	ends = append(ends, len(data))
	add := func(kind byte, payload []byte) {
		data, check = appendRaw(data, check, kind, payload)
		ends = append(ends, len(data))
	}
	step := func(number uint64) {
		s := sampleStep(number, h.Q)
		add(typeStep, appendStep(nil, &s))
	}
	eval := func(e Eval) { add(typeEval, appendEval(nil, &e, version)) }
	eval(sampleEval(0))
	step(1)
	step(2)
	eval(Eval{Step: 2, Of: 2, Kind: EvalTrain, Metrics: HasLoss, Examples: 16, Loss: 1.5})
	step(3)
	eval(sampleEval(3))
	eval(sampleTest(3, 2))
	return data, ends
}

// appendRaw appends a record with a good check, whatever it holds.
func appendRaw(data []byte, before uint32, kind byte, payload []byte) ([]byte, uint32) {
	start := len(data)
	data = append(beginRecord(data, kind, len(payload)), payload...)
	return endRecord(data, start, before)
}

// rawJournal returns a journal with the given header payload and a good check.
func rawJournal(payload []byte) ([]byte, uint32) {
	data := append(beginRecord(appendPreamble(nil, version), typeHeader, len(payload)), payload...)
	return endRecord(data, 0, 0)
}

func writeFile(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.journal")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readBytes(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func put32(data []byte, at int, value uint32) { binary.LittleEndian.PutUint32(data[at:], value) }
func put64(data []byte, at int, value uint64) { binary.LittleEndian.PutUint64(data[at:], value) }

func putFloat(data []byte, at int, value float64) {
	put32(data, at, math.Float32bits(float32(value)))
}

func describe(log *Log) string {
	return fmt.Sprintf("%d steps, %d evaluations, %d good bytes, damage %v", len(log.Steps), len(log.Evals), log.Bytes, log.Damage)
}
