package importer

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/half"
	"zeroth/internal/testdata"
)

func parseGGUF(file []byte) (*ggufModel, error) {
	return newGGUF(bytes.NewReader(file), int64(len(file)), "test.gguf")
}

// ggufModels are the shared checkpoints that GGUF can hold.
var ggufModels = []string{"llama", "llama3", "qwen2", "qwen3", "gpt2"}

// TestGGUFAgrees converts Hugging Face checkpoints and reads them back: the
// same config, the same values.
func TestGGUFAgrees(t *testing.T) {
	for _, name := range ggufModels {
		folder := mustOpen(t, testdata.Shared(t, "models/tiny-random-"+name))
		for _, kind := range []string{"F32", "F16", "Q8_0"} {
			path := filepath.Join(t.TempDir(), "model.gguf")
			ConvertGGUF(t, folder, kind).Save(t, path)
			file := mustOpen(t, path)
			if file.Config() != folder.Config() {
				t.Errorf("%s\n%+v, want\n%+v", name, file.Config(), folder.Config())
			}
			if err := Validate(file); err != nil {
				t.Error(err)
			}
			if !slices.Equal(file.Names(), folder.Names()) || file.Source() != "GGUF model.gguf" {
				t.Errorf("%v, %s", file.Names(), file.Source())
			}
			for _, weight := range folder.Names() {
				got, want := readWeight(t, file, weight), readWeight(t, folder, weight)
				info, err := file.Tensor(weight)
				if err != nil || kind == "F16" && len(info.Shape) > 1 != (info.DType == kind) {
					t.Errorf("%s %s: %+v, %v", name, weight, info, err)
				}
				if info.DType == "F16" {
					for i := range want {
						want[i] = half.Round(want[i])
					}
				}
				if info.DType != "Q8_0" && !slices.Equal(got, want) || info.DType == "Q8_0" && !nearQ8(got, want) {
					t.Errorf("%s %s: %s differs", name, kind, weight)
				}
			}
		}
	}
}

// nearQ8 allows half a step of a block's scale, and the scale's own rounding.
func nearQ8(got, want []float32) bool {
	for first := 0; first < len(want); first += 32 {
		largest := 0.0
		for _, value := range want[first : first+32] {
			largest = max(largest, math.Abs(float64(value)))
		}
		for i := first; i < first+32; i++ {
			if math.Abs(float64(got[i]-want[i])) > largest*(0.51/127+0.0006) {
				return false
			}
		}
	}
	return true
}

// A reader that took halves for pairs, or one matrix for another, would not
// pass with sizes that all differ.
func TestGGUFShapes(t *testing.T) {
	untied := gpt2Config()
	untied.Tied = false
	plain := small(true)
	plain.Interleaved = false
	head := small(false)
	head.Interleaved, head.Rope = false, RopeScaling{Kind: RopeLinear, Factor: 2.5}
	for _, config := range []Config{plain, head, qwen3Config(), gpt2Config(), untied} {
		weights := randomWeights(config, 0)
		source := fixed{config, weights}
		file, err := parseGGUF(ConvertGGUF(t, source, "F32").Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if file.Config() != config {
			t.Errorf("%+v, want\n%+v", file.Config(), config)
		}
		checkWeights(t, file, weights)
		for _, name := range []string{"", "token_embd.weight", "lm_head.bias", "model.layers.9.self_attn.q_proj.weight"} {
			if _, err := file.Tensor(name); !errors.Is(err, ErrNotFound) {
				t.Errorf("%q: %v", name, err)
			}
			if err := file.ReadF32(name, nil); !errors.Is(err, ErrNotFound) {
				t.Errorf("%q: %v", name, err)
			}
		}
		for _, name := range file.Names() {
			if err := file.ReadF32(name, make([]float32, 1)); !errors.Is(err, ErrArgument) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

// fixed is a checkpoint in memory.
type fixed struct {
	config  Config
	weights map[string][]float32
}

func (f fixed) Config() Config  { return f.config }
func (f fixed) Names() []string { return f.config.weightNames() }
func (f fixed) Close() error    { return nil }
func (f fixed) Source() string  { return "" }

func (f fixed) ReadF32(name string, dst []float32) error { return readWhole(f, name, dst) }

func (f fixed) ReadRows(name string, first int, dst []float32) error {
	info, err := f.Tensor(name)
	if err == nil {
		copy(dst, f.weights[name][first*int(elements(info.Shape[1:])):])
	}
	return err
}

func (f fixed) Tensor(name string) (Info, error) {
	for weight := range f.config.Weights() {
		if weight.Name == name {
			return Info{Shape: weight.Shape, DType: "F32"}, nil
		}
	}
	return Info{}, ErrNotFound
}

// What comes back from rope_freqs.weight need not be the settings that made it,
// but must make it again, and be those for the published ones.
func TestGGUFFrequencies(t *testing.T) {
	for _, test := range []struct {
		theta   float64
		headDim int
		scaling RopeScaling
		exact   bool
	}{
		{500000, 128, RopeScaling{RopeLlama3, 8, 1, 4, 8192}, true},  // Llama 3.1
		{500000, 64, RopeScaling{RopeLlama3, 32, 1, 4, 8192}, true},  // Llama 3.2 1B
		{500000, 128, RopeScaling{RopeLlama3, 16, 1, 4, 8192}, true}, // and as Llama 4 has it
		{500000, 16, RopeScaling{RopeLlama3, 8, 1, 4, 64}, true},
		{10000, 64, RopeScaling{RopeLlama3, 3, 1.5, 7, 1000}, false},
		{10000, 128, RopeScaling{RopeLlama3, 40, 1, 2, 3000}, false},
		{10000, 12, RopeScaling{RopeLlama3, 8, 1, 6, 500}, false},    // one pair on the slope
		{10000, 12, RopeScaling{RopeLlama3, 8, 1, 1.05, 500}, false}, // none
		{10000, 8, RopeScaling{RopeLinear, 5, 0, 0, 0}, true},
	} {
		factors := make([]float32, test.headDim/2)
		if test.scaling.Kind == RopeLinear {
			for i := range factors {
				factors[i] = float32(test.scaling.Factor)
			}
		} else {
			for i := range factors {
				factors[i] = littleFloat(frequencyFactors(test.theta, test.headDim, test.scaling).Data[4*i:])
			}
		}
		got, fits := fitLlama3(factors, test.theta)
		if !fits || test.exact && got != test.scaling {
			t.Errorf("%+v: %v %+v of %v", test.scaling, fits, got, factors)
			continue
		}
		if got.Kind == RopeLlama3 {
			for i, again := range factors {
				if made := littleFloat(frequencyFactors(test.theta, test.headDim, got).Data[4*i:]); math.Abs(float64(made-again)) > 2e-5*float64(again) {
					t.Errorf("%+v: pair %d: %g, want %g", test.scaling, i, made, again)
				}
			}
		}
	}
	for _, factors := range [][]float32{
		{1, 2, 1, 8},
		{8, 1, 1, 1},
		{1, 0.5, 8, 8},
		{1, 1, 8, float32(math.Inf(1))},
		{1, float32(math.NaN()), 8, 8},
		{0, 0, 0, 0},
		{-1, -1, 8, 8},
		{1, 7, 2, 8},
		{2, 8, 8, 8},
		{1, 1, 3, 5},
	} {
		if got, fits := fitLlama3(factors, 10000); fits && !got.gives(factors, 10000) {
			t.Errorf("%v: %+v", factors, got)
		}
	}
	if got, fits := fitLlama3([]float32{1, 1, 1}, 10000); !fits || got != (RopeScaling{}) {
		t.Errorf("%+v", got)
	}
}

func TestGGUFTokenizerMetadata(t *testing.T) {
	file := ConvertGGUF(t, fixed{qwen3Config(), randomWeights(qwen3Config(), 0)}, "F32")
	open := func() *ggufModel {
		m, err := parseGGUF(file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if _, err := open().TokenizerMetadata(); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	tokens := []string{"a", "b", "c", "d", "e", "f", "g", "h", "<s>"}
	file.Metadata["tokenizer.ggml.model"], file.Metadata["tokenizer.ggml.pre"] = "gpt2", "qwen2"
	file.Metadata["tokenizer.ggml.tokens"], file.Metadata["tokenizer.ggml.merges"] = tokens, []string{"a b"}
	file.Metadata["tokenizer.ggml.token_type"] = []int32{1, 1, 1, 1, 1, 1, 1, 1, 3}
	file.Metadata["tokenizer.ggml.scores"] = []float32{0, -1}
	file.Metadata["tokenizer.ggml.add_bos_token"] = false
	file.Metadata["tokenizer.ggml.bos_token_id"] = uint32(8)
	m, err := open().TokenizerMetadata()
	if err != nil || m.Model != "gpt2" || m.Pre != "qwen2" || !slices.Equal(m.Tokens, tokens) || !slices.Equal(m.Merges, []string{"a b"}) ||
		m.Types[8] != 3 || m.Scores[1] != -1 || m.AddBOS == nil || *m.AddBOS || m.AddEOS != nil || m.BOS != 8 || m.EOS != -1 {
		t.Errorf("%+v, %v", m, err)
	}
	for key, value := range map[string]any{
		"token_type": []int32{-1}, "scores": []string{"x"}, "merges": uint32(1), "tokens": []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, "add_bos_token": uint32(1), "model": uint32(3),
	} {
		before := file.Metadata["tokenizer.ggml."+key]
		file.Metadata["tokenizer.ggml."+key] = value
		if _, err := open().TokenizerMetadata(); !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) || !strings.Contains(fmt.Sprint(err), key) {
			t.Errorf("%s: %v", key, err)
		}
		file.Metadata["tokenizer.ggml."+key] = before
	}
}

// Flipped bits give an error or a checkpoint that reads.
func TestFlippedGGUF(t *testing.T) {
	config := tiny(false)
	config.NormEps, config.RopeTheta = 1e-5, 10000
	whole := ConvertGGUF(t, fixed{config, randomWeights(config, 0)}, "F32").Bytes()
	random := rand.New(rand.NewPCG(7, 8))
	for range 3000 {
		file := bytes.Clone(whole)
		for range 1 + random.IntN(3) {
			file[random.IntN(len(file))] ^= byte(1 << random.IntN(8))
		}
		checkGGUF(t, file)
	}
	for size := range len(whole) - 16 { // the last tensor's padding may be missing
		if _, err := parseGGUF(whole[:size]); err == nil {
			t.Fatalf("first %d of %d bytes open", size, len(whole))
		}
	}
}

// checkGGUF checks that any bytes give an error or a checkpoint that validates
// and whose weights all read.
func checkGGUF(t *testing.T, file []byte) {
	t.Helper()
	checkpoint, err := parseGGUF(file)
	if err != nil {
		if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) {
			t.Fatal(err)
		}
		return
	}
	if err := Validate(checkpoint); err != nil {
		t.Fatal(err)
	}
	for _, name := range checkpoint.Names() {
		readWeight(t, checkpoint, name)
	}
	if _, err := checkpoint.TokenizerMetadata(); err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
}
