package importer_test

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
	"zeroth/graph/pass"
	"zeroth/internal/testdata"
	"zeroth/kernels/ref"
	"zeroth/mpzo/adapter"
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// TestGGUFLogits holds what the models compute from their GGUF files against
// the float64 reference: within 1e-4 of the largest logit of each position.
func TestGGUFLogits(t *testing.T) {
	for _, name := range []string{"llama", "llama3", "qwen2", "qwen3", "gpt2"} {
		folder, err := importer.Open(testdata.Shared(t, "models/tiny-random-"+name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.gguf")
		importer.ConvertGGUF(t, folder, "F32").Save(t, path)
		folder.Close()
		ids := referenceIDs(t, name)
		want, err := os.ReadFile(testdata.Shared(t, "models/tiny-random-"+name+"/logits.f32"))
		if err != nil {
			t.Fatal(err)
		}
		got := logitsOf(t, path, ids, nil)
		if 4*len(got) != len(want) {
			t.Fatalf("%s: %d logits, want %d", name, len(got), len(want)/4)
		}
		vocab := len(got) / len(ids)
		for position := range ids {
			largest, worst := 0.0, 0.0
			for i := position * vocab; i < (position+1)*vocab; i++ {
				value := float64(math.Float32frombits(binary.LittleEndian.Uint32(want[4*i:])))
				largest, worst = max(largest, math.Abs(value)), max(worst, math.Abs(value-float64(got[i])))
			}
			if !(worst <= 1e-4*largest) {
				t.Errorf("%s: position %d: difference %g of largest logit %g", name, position, worst, largest)
			}
		}
	}
}

// referenceIDs are the token ids of a shared model's reference.
func referenceIDs(t *testing.T, name string) []int32 {
	t.Helper()
	var reference struct {
		IDs []int32 `json:"input_ids"`
	}
	text, err := os.ReadFile(testdata.Shared(t, "models/tiny-random-"+name+"/reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	return reference.IDs
}

// logitsOf runs a checkpoint's "forward" for all positions of ids, with an
// adapter or without.
func logitsOf(t *testing.T, path string, ids []int32, a *adapter.Adapter) []float32 {
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
	if a != nil {
		if err := pass.InsertLoRA(m, pass.LoRA{Rank: a.Rank, Alpha: a.Alpha, Sampler: noise.Gaussian}); err != nil {
			t.Fatal(err)
		}
	}
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	registry, err := kernel.NewRegistry(ref.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	size := op.Extents{Width: 1, N: len(ids), S: 1, R: len(ids), Q: 1}
	session, err := executor.New(p, registry, executor.Options{Bounds: size, Methods: []string{"forward"}})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if a != nil {
		if err := train.SlotsOf(session).SetAdapter(a); err != nil {
			t.Fatal(err)
		}
	}
	forward, err := session.Method("forward")
	if err != nil {
		t.Fatal(err)
	}
	if err := forward.Resize(size); err != nil {
		t.Fatal(err)
	}
	count := make([]int32, len(ids))
	for i := range count {
		count[i] = int32(i)
	}
	for name, values := range map[string][]int32{"tokens": ids, "positions": count, "rows": count, "offsets": {0, int32(len(ids))}} {
		input, err := forward.Input(name)
		if err != nil {
			t.Fatal(err)
		}
		copy(input.I32(), values)
	}
	if err := forward.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	logits, err := forward.Output("logits")
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), logits.Copy(0)...)
}
