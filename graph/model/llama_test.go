package model_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/internal/testdata"
	"zeroth/kernels/cpu"
	"zeroth/kernels/ref"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// engine runs a checkpoint's "forward".
type engine struct {
	session *executor.Session
	forward *executor.Method
}

// newEngine builds the checkpoint and binds "forward" for n tokens.
func newEngine(t *testing.T, path string, kernels []kernel.Kernel, n int) *engine {
	t.Helper()
	checkpoint, err := importer.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	m, err := model.Build(checkpoint, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Materialise(); err != nil {
		t.Fatal(err)
	}
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Verify(p); err != nil {
		t.Fatal(err)
	}
	registry, err := kernel.NewRegistry(kernels)
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{}
	e.session, err = executor.New(p, registry, executor.Options{
		Bounds: op.Extents{Width: 1, N: n, S: 1, R: n}, Methods: []string{"forward"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.session.Close)
	if e.forward, err = e.session.Method("forward"); err != nil {
		t.Fatal(err)
	}
	return e
}

// logits gives the logits of the last rows positions of ids.
func (e *engine) logits(t *testing.T, ids []int32, rows int) []float32 {
	t.Helper()
	n := len(ids)
	if err := e.forward.Resize(op.Extents{Width: 1, N: n, S: 1, R: rows}); err != nil {
		t.Fatal(err)
	}
	input := func(name string) []int32 {
		in, err := e.forward.Input(name)
		if err != nil {
			t.Fatal(err)
		}
		return in.I32()
	}
	copy(input("tokens"), ids)
	for i := range ids {
		input("positions")[i] = int32(i)
	}
	for i := range rows {
		input("rows")[i] = int32(n - rows + i)
	}
	copy(input("offsets"), []int32{0, int32(n)})
	if err := e.forward.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	out, err := e.forward.Output("logits")
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), out.Copy(0)...)
}

// kernelSets are the kernels that every reference is compared with.
func kernelSets() map[string][]kernel.Kernel {
	return map[string][]kernel.Kernel{
		"ref": ref.Kernels(), "cpu": cpu.Kernels(cpu.Detect()), "cpu-generic": cpu.Kernels(cpu.Features{}),
	}
}

func readF32(t *testing.T, path string) []float32 {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return values
}

// sameLogits wants every position within 1e-4 of the largest |logit| there,
// and the same argmax.
func sameLogits(t *testing.T, got, want []float32, positions int) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d logits, want %d", len(got), len(want))
	}
	vocab := len(want) / positions
	for p := range positions {
		g, w := got[p*vocab:(p+1)*vocab], want[p*vocab:(p+1)*vocab]
		largest, worst := 0.0, 0.0
		for i := range w {
			largest = max(largest, math.Abs(float64(w[i])))
			worst = max(worst, math.Abs(float64(w[i])-float64(g[i])))
		}
		if worst > 1e-4*largest {
			t.Errorf("position %d: difference %g of largest logit %g", p, worst, largest)
		}
		if argmax(g) != argmax(w) {
			t.Errorf("position %d: argmax %d, want %d", p, argmax(g), argmax(w))
		}
	}
}

func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}

func TestStoriesLogits(t *testing.T) {
	for _, source := range []string{
		"stories260K/stories260K.bin", "stories260K", "stories3M/stories3M-q80.bin", "stories3M",
	} {
		t.Run(source, func(t *testing.T) {
			path := testdata.Shared(t, "models/"+source)
			dir := path
			if filepath.Ext(path) == ".bin" {
				dir = filepath.Dir(path)
			}
			var references []struct{ IDs []int32 }
			raw, err := os.ReadFile(filepath.Join(dir, "reference", "reference.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &references); err != nil {
				t.Fatal(err)
			}
			for kernels, list := range kernelSets() {
				e := newEngine(t, path, list, 64)
				for i, r := range references {
					name := filepath.Join(dir, "reference", fmt.Sprintf("p%d.logits.f32", i))
					t.Run(fmt.Sprintf("%s/%d", kernels, i), func(t *testing.T) {
						sameLogits(t, e.logits(t, r.IDs, len(r.IDs)), readF32(t, name), len(r.IDs))
					})
				}
			}
		})
	}
}

func TestHuggingFaceLogits(t *testing.T) {
	for name, file := range map[string]string{
		"reviews-1m": "reference.f32", "tiny-random-llama": "logits.f32", "tiny-random-llama3": "logits.f32",
		"tiny-random-qwen2": "logits.f32", "tiny-random-qwen3": "logits.f32", "tiny-random-opt": "logits.f32",
		"tiny-random-gpt2": "logits.f32", "tiny-random-roberta": "logits.f32",
	} {
		t.Run(name, func(t *testing.T) {
			dir := testdata.Shared(t, "models/"+name)
			var reference struct {
				IDs    []int32 `json:"input_ids"`
				Greedy []int32 `json:"greedy_ids"`
			}
			raw, err := os.ReadFile(filepath.Join(dir, "reference.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &reference); err != nil {
				t.Fatal(err)
			}
			n := len(reference.IDs)
			for kernels, list := range kernelSets() {
				t.Run(kernels, func(t *testing.T) {
					e := newEngine(t, dir, list, n+len(reference.Greedy))
					sameLogits(t, e.logits(t, reference.IDs, n), readF32(t, filepath.Join(dir, file)), n)
					ids := slices.Clone(reference.IDs)
					for range reference.Greedy {
						ids = append(ids, int32(argmax(e.logits(t, ids, 1))))
					}
					if !slices.Equal(ids[n:], reference.Greedy) {
						t.Errorf("greedy ids %v, want %v", ids[n:], reference.Greedy)
					}
				})
			}
		})
	}
}
