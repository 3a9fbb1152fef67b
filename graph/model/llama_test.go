package model_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/internal/testdata"
	"zeroth/kernels/ref"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// logits runs ids through the checkpoint's "forward" with the plain kernels.
func logits(t *testing.T, path string, ids []int32) []float32 {
	t.Helper()
	checkpoint, err := importer.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	m, err := model.Llama(checkpoint, model.Options{})
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
	registry, err := kernel.NewRegistry(ref.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	n := len(ids)
	extents := op.Extents{Width: 1, N: n, S: 1, R: n}
	s, err := executor.New(p, registry, executor.Options{Bounds: extents, Methods: []string{"forward"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	forward, err := s.Method("forward")
	if err != nil {
		t.Fatal(err)
	}
	input := func(name string) []int32 {
		in, err := forward.Input(name)
		if err != nil {
			t.Fatal(err)
		}
		return in.I32()
	}
	copy(input("tokens"), ids)
	for i := range ids {
		input("positions")[i], input("rows")[i] = int32(i), int32(i)
	}
	copy(input("offsets"), []int32{0, int32(n)})
	if err := forward.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	out, err := forward.Output("logits")
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), out.Copy(0)...)
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
			for i, r := range references {
				name := filepath.Join(dir, "reference", "p"+string(rune('0'+i))+".logits.f32")
				sameLogits(t, logits(t, path, r.IDs), readF32(t, name), len(r.IDs))
			}
		})
	}
}

func TestHuggingFaceLogits(t *testing.T) {
	for name, file := range map[string]string{"reviews-1m": "reference.f32", "tiny-random-llama": "logits.f32"} {
		t.Run(name, func(t *testing.T) {
			dir := testdata.Shared(t, "models/"+name)
			var reference struct {
				IDs []int32 `json:"input_ids"`
			}
			raw, err := os.ReadFile(filepath.Join(dir, "reference.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &reference); err != nil {
				t.Fatal(err)
			}
			sameLogits(t, logits(t, dir, reference.IDs), readF32(t, filepath.Join(dir, file)), len(reference.IDs))
		})
	}
}
