package importer_test

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/internal/gguf"
	"zeroth/internal/testdata"
	"zeroth/mpzo/adapter"
)

// randomAdapter is one for all sites of a checkpoint. Rank and alpha are such
// that a wrong scale shows.
func randomAdapter(t *testing.T, path string) *adapter.Adapter {
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
	a := &adapter.Adapter{Rank: 3, Alpha: 5, Masked: checkpoint.Config().Architecture == "roberta"}
	random := rand.New(rand.NewPCG(5, 6))
	fill := func(count int, size float64) []float32 {
		values := make([]float32, count)
		for i := range values {
			values[i] = float32(random.NormFloat64() * size)
		}
		return values
	}
	for _, site := range m.Sites {
		a.Sites = append(a.Sites, adapter.Site{Module: site.Name, Out: site.Out, In: site.In})
		a.A = append(a.A, fill(a.Rank*site.In, 1/math.Sqrt(float64(site.In))))
		a.B = append(a.B, fill(site.Out*a.Rank, 0.1))
	}
	return a
}

// distance is the largest difference of two sets of logits, as a share of the
// largest logit.
func distance(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	largest, worst := 0.0, 0.0
	for i := range a {
		largest, worst = max(largest, math.Abs(float64(a[i]))), max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst / largest
}

// checkLogits wants the merged checkpoint to compute what base and adapter do, up
// to the rounding of its weights, and the adapter to matter.
func checkLogits(t *testing.T, base, merged string, a *adapter.Adapter, ids []int32, rounding float64) {
	t.Helper()
	adapted := logitsOf(t, base, ids, a)
	if d := distance(adapted, logitsOf(t, base, ids, nil)); !(d > 0.05) {
		t.Errorf("%s: the adapter moves the logits by %g only", base, d)
	}
	if d := distance(adapted, logitsOf(t, merged, ids, nil)); !(d < rounding) {
		t.Errorf("%s: merged, the logits differ by %g of the largest", base, d)
	}
}

// TestGGUFAdapter applies an adapter in the form for llama.cpp to a GGUF model
// by llama.cpp's rules (src/llama-adapter.cpp), in the file's own layout: T += alpha/r · lora_b · lora_a
// for the tensor T that the pair is named after.
func TestGGUFAdapter(t *testing.T) {
	for _, name := range []string{"llama", "llama3", "qwen2", "qwen3", "gpt2"} {
		path := testdata.Shared(t, "models/tiny-random-"+name)
		a := randomAdapter(t, path)
		checkpoint, err := importer.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		converted := importer.ConvertGGUF(t, checkpoint, "F32")
		config := checkpoint.Config()
		checkpoint.Close()
		folder := t.TempDir()
		lora := filepath.Join(folder, "lora.gguf")
		if err := adapter.WriteGGUF(lora, a, adapter.Base{Architecture: config.Architecture, HeadDim: config.HeadDim}, adapter.GGUFF32); err != nil {
			t.Fatal(err)
		}
		if pairs := applyLoRA(t, converted, lora, config.Architecture); pairs != len(a.Sites) {
			t.Errorf("%s: %d pairs for %d sites", name, pairs, len(a.Sites))
		}
		merged := filepath.Join(folder, "merged.gguf")
		converted.Save(t, merged)
		checkLogits(t, path, merged, a, referenceIDs(t, name), 1e-5)
	}
}

// applyLoRA returns how many pairs of tensors there were.
func applyLoRA(t *testing.T, base *importer.GGUFFile, path, architecture string) (pairs int) {
	t.Helper()
	file, err := gguf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := file.String("general.architecture"); err != nil || got != architecture {
		t.Errorf("architecture %q, %v", got, err)
	}
	alpha, err := file.Float("adapter.lora.alpha")
	if err != nil {
		t.Fatal(err)
	}
	values := func(tensor gguf.Tensor) []float32 {
		out := make([]float32, tensor.Elements())
		if err := file.ReadF32(tensor.Name, out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, first := range file.Tensors() {
		name, isA := strings.CutSuffix(first.Name, ".lora_a")
		if !isA {
			continue
		}
		pairs++
		second, found := file.Lookup(name + ".lora_b")
		at := slices.IndexFunc(base.Tensors, func(tensor importer.GGUFTensor) bool { return tensor.Name == name })
		if !found || at < 0 {
			t.Fatalf("%s: lora_b is there: %v; the model has it at %d", name, found, at)
		}
		in, out, rank := base.Tensors[at].NE[0], base.Tensors[at].NE[1], second.Shape[1]
		if !slices.Equal(first.Shape, []int{rank, in}) || second.Shape[0] != out {
			t.Fatalf("%s: lora_a %v, lora_b %v, the model's has ne %v", name, first.Shape, second.Shape, base.Tensors[at].NE)
		}
		loraA, loraB, data := values(first), values(second), base.Tensors[at].Data
		for i := range out {
			for j := range in {
				element := data[4*(i*in+j):]
				sum := float64(math.Float32frombits(binary.LittleEndian.Uint32(element)))
				for r := range rank {
					sum += alpha / float64(rank) * float64(loraB[i*rank+r]) * float64(loraA[r*in+j])
				}
				binary.LittleEndian.PutUint32(element, math.Float32bits(float32(sum)))
			}
		}
	}
	return pairs
}

// productsOf gives an adapter to Merge.
func productsOf(a *adapter.Adapter) []importer.LowRank {
	var products []importer.LowRank
	for i, site := range a.Sites {
		products = append(products, importer.LowRank{
			Module: site.Module, Out: site.Out, In: site.In, Rank: a.Rank, Scale: a.Alpha / float64(a.Rank), A: a.A[i], B: a.B[i],
		})
	}
	return products
}

func TestMergedLogits(t *testing.T) {
	for _, name := range []string{"llama", "llama3", "qwen2", "qwen3", "gpt2", "opt", "roberta"} {
		path := testdata.Shared(t, "models/tiny-random-"+name)
		a := randomAdapter(t, path)
		// By way of the files that PEFT reads.
		folder := filepath.Join(t.TempDir(), "adapter")
		if err := adapter.Write(folder, a); err != nil {
			t.Fatal(err)
		}
		read, err := adapter.Read(folder)
		if err != nil {
			t.Fatal(err)
		}
		merged := filepath.Join(t.TempDir(), "merged")
		if _, err := importer.Merge(context.Background(), path, merged, productsOf(read), nil); err != nil {
			t.Fatal(err)
		}
		checkLogits(t, path, merged, a, referenceIDs(t, name), roundingOf(t, path, a.Sites[0].Module))
	}
}

// roundingOf is what storing sums in the dtype of a module's weight may do to
// logits: each weight loses up to half of its last of 24, 11 or 8 bits.
func roundingOf(t *testing.T, path, module string) float64 {
	t.Helper()
	checkpoint, err := importer.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	info, err := checkpoint.Tensor(module + ".weight")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]float64{"F32": 1e-5, "F16": 1.0 / (1 << 10), "BF16": 1.0 / (1 << 7)}[info.DType]
}
