package train_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"zeroth/graph/pass"
	"zeroth/internal/safetensors"
	"zeroth/internal/testdata"
	"zeroth/mpzo/adapter"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
)

// probe is a stored measurement made with float64 PyTorch: a LoRA, a direction
// z over its A and B, and the losses on the way.
type probe struct {
	IDs         [][]int32
	Rank        int
	Alpha       float64
	WithoutLoRA float64 `json:"loss_without_lora"`
	WithLoRA    float64 `json:"loss_with_lora"`
	Derivative  float64 `json:"directional_derivative_autograd"`
	TwoPoint    map[string]struct {
		LossPlus      float64 `json:"loss_plus"`
		LossMinus     float64 `json:"loss_minus"`
		ProjectedGrad float64 `json:"projected_grad"`
	} `json:"mezo_two_point"`

	theta, z *adapter.Adapter
}

func readProbe(t *testing.T, name string) *probe {
	t.Helper()
	folder := filepath.Join(testdata.Shared(t, "models/"+name), "reference")
	raw, err := os.ReadFile(filepath.Join(folder, "lora_probe.json"))
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{}
	if err := json.Unmarshal(raw, p); err != nil {
		t.Fatal(err)
	}
	p.theta = readPairs(t, filepath.Join(folder, "lora_probe.safetensors"), p)
	p.z = readPairs(t, filepath.Join(folder, "lora_probe_z.safetensors"), p)
	return p
}

// readPairs reads lora_A and lora_B of every module in a file.
func readPairs(t *testing.T, path string, p *probe) *adapter.Adapter {
	t.Helper()
	file, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a := &adapter.Adapter{Rank: p.Rank, Alpha: p.Alpha}
	read := func(name string) ([]float32, []int) {
		tensor, ok := file.Lookup(name)
		if !ok {
			t.Fatalf("%s has no %s", path, name)
		}
		values := make([]float32, tensor.Elements())
		if err := file.ReadF32(name, values); err != nil {
			t.Fatal(err)
		}
		return values, tensor.Shape
	}
	for _, tensor := range file.Tensors() {
		module, isA := cutSuffix(tensor.Name, ".lora_A.weight")
		if !isA {
			continue
		}
		loraA, shapeA := read(tensor.Name)
		loraB, shapeB := read(module + ".lora_B.weight")
		a.Sites = append(a.Sites, adapter.Site{Module: module, Out: shapeB[0], In: shapeA[1]})
		a.A, a.B = append(a.A, loraA), append(a.B, loraB)
	}
	return a
}

func cutSuffix(s, suffix string) (string, bool) {
	if len(s) < len(suffix) || s[len(s)-len(suffix):] != suffix {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}

// at is θ + step · z, rounded to float32 once.
func (p *probe) at(step float64) *adapter.Adapter {
	move := func(from, along [][]float32) [][]float32 {
		moved := make([][]float32, len(from))
		for i := range from {
			moved[i] = make([]float32, len(from[i]))
			for e := range from[i] {
				moved[i][e] = float32(float64(from[i][e]) + step*float64(along[i][e]))
			}
		}
		return moved
	}
	return &adapter.Adapter{
		Rank: p.Rank, Alpha: p.Alpha, Sites: p.theta.Sites,
		A: move(p.theta.A, p.z.A), B: move(p.theta.B, p.z.B),
	}
}

// The stored texts' losses with and without the stored LoRA, and at ±ε along
// the stored z, from both forms of each checkpoint: SetAdapter reorders the
// rows of q for the llama2.c form, whose rotary pairs are neighbours.
func TestProbe(t *testing.T) {
	for source, folder := range map[string]string{
		"stories260K": "stories260K", "stories260K/stories260K.bin": "stories260K",
		"stories3M": "stories3M", "stories3M/stories3M-q80.bin": "stories3M",
	} {
		t.Run(source, func(t *testing.T) { checkProbe(t, source, readProbe(t, folder)) })
	}
}

func checkProbe(t *testing.T, source string, p *probe) {
	program := link(t, checkpoint(t, source), pass.LoRA{
		Rank: p.Rank, Alpha: p.Alpha, Sampler: noise.Gaussian, Modules: []string{"q", "v"},
	})
	var list []data.Example
	for _, ids := range p.IDs {
		list = append(list, data.Example{Candidates: [][]int32{ids}, Prefix: 1})
	}
	var b data.Batch
	if err := b.PackTokens(list, all(len(list))); err != nil {
		t.Fatal(err)
	}
	for name, registry := range backends(t) {
		if name != "cpu" && len(p.theta.A[0]) > 500 {
			continue // the plain kernels take seconds on the larger model
		}
		m := bind(t, program, registry, sizes(&b, 1, 1), 2)
		loss := func(step float64) float64 {
			if err := m.SetAdapter(p.at(step)); err != nil {
				t.Fatal(err)
			}
			losses, _ := bothLosses(t, m, &b, train.None)
			return float64(losses[0])
		}
		must(t, m.Init(1)) // B = 0
		without, _ := bothLosses(t, m, &b, train.None)
		near(t, name+": loss without LoRA", float64(without[0]), p.WithoutLoRA, 1e-5)
		near(t, name+": loss with LoRA", loss(0), p.WithLoRA, 1e-5)
		// The last column is what float32 losses leave of the two-point
		// gradient, whose difference shrinks with ε.
		for _, c := range []struct {
			key      string
			eps      float64
			accuracy float64
		}{{"0.1", 0.1, 2e-5}, {"0.01", 1e-2, 1e-4}, {"0.001", 1e-3, 5e-4}} {
			want := p.TwoPoint[c.key]
			plus, minus := loss(c.eps), loss(-c.eps)
			near(t, name+": loss at +"+c.key, plus, want.LossPlus, 1e-5)
			near(t, name+": loss at -"+c.key, minus, want.LossMinus, 1e-5)
			near(t, name+": projected gradient at "+c.key, (plus-minus)/(2*c.eps), want.ProjectedGrad, c.accuracy)
			if c.key == "0.001" { // the bias of ε² is below 1 % there
				near(t, name+": directional derivative", (plus-minus)/(2*c.eps), p.Derivative, 1e-2)
			}
		}
	}
}
