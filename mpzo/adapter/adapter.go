package adapter

import (
	"fmt"
	"math"
	"strings"
)

const (
	maxRank        = 1 << 16
	maxDim         = 1 << 31
	maxModuleBytes = 512
	maxBaseBytes   = 4096
)

// Site is a linear layer that carries a LoRA.
type Site struct {
	Module  string // path in the Hugging Face model: "model.layers.3.self_attn.q_proj"
	Out, In int    // the layer's weight is [Out, In]
}

// Adapter is a LoRA of one rank and one scale at every site.
type Adapter struct {
	Rank   int
	Alpha  float64 // the scale is Alpha/Rank
	Base   string  // name or path of the base model; may be empty
	Layers int     // layers of the base model; 0 if unknown. Read leaves 0.
	// Masked says that the base is a masked language model, for which PEFT has
	// no task type. Read leaves it false.
	Masked bool
	// FanInFanOut says that the base stores its matrices as [in, out], as GPT-2's
	// Conv1D does. A and B are the same either way. Read leaves it false.
	FanInFanOut bool
	Sites       []Site
	A           [][]float32 // A[i] [Rank, Sites[i].In] row-major
	B           [][]float32 // B[i] [Sites[i].Out, Rank] row-major
}

// check says what does not fit together; the error wraps ErrArgument.
func (a *Adapter) check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrArgument)
	}
	switch {
	case a.Rank < 1 || a.Rank > maxRank:
		return fail("rank is %d, must be 1 … %d", a.Rank, maxRank)
	case !(a.Alpha > 0) || math.IsInf(a.Alpha, 0):
		return fail("alpha is %v, must be finite and above 0", a.Alpha)
	case a.Layers < 0:
		return fail("the base model has %d layers", a.Layers)
	case len(a.Sites) == 0:
		return fail("there are no sites")
	case len(a.A) != len(a.Sites) || len(a.B) != len(a.Sites):
		return fail("%d sites, but %d A and %d B", len(a.Sites), len(a.A), len(a.B))
	}
	if !printable(a.Base, maxBaseBytes) {
		return fail("the name of the base model must be printable text of at most %d bytes", maxBaseBytes)
	}
	seen := make(map[string]bool, len(a.Sites))
	for i, site := range a.Sites {
		if err := checkModule(site.Module); err != nil {
			return fail("site %d: %v", i, err)
		}
		if seen[site.Module] {
			return fail("module %s is there twice", site.Module)
		}
		seen[site.Module] = true
		if site.Out < 1 || site.In < 1 || int64(site.Out) >= maxDim || int64(site.In) >= maxDim {
			return fail("module %s is [%d, %d]", site.Module, site.Out, site.In)
		}
		if int64(len(a.A[i])) != int64(a.Rank)*int64(site.In) || int64(len(a.B[i])) != int64(site.Out)*int64(a.Rank) {
			return fail("module %s [%d, %d] of rank %d: A has %d values and B %d", site.Module, site.Out, site.In, a.Rank, len(a.A[i]), len(a.B[i]))
		}
		if at, bad := notFinite(a.A[i]); bad {
			return fail("module %s: A[%d] is %v", site.Module, at, a.A[i][at])
		}
		if at, bad := notFinite(a.B[i]); bad {
			return fail("module %s: B[%d] is %v", site.Module, at, a.B[i][at])
		}
	}
	return nil
}

// Locate finds the sites of a model in the adapter: the result holds for each
// of them its index in a.Sites, or -1 where the adapter has nothing. A module
// that the model lacks, or whose shape differs, is an error that wraps
// ErrOtherModel.
func (a *Adapter) Locate(sites []Site) ([]int, error) {
	wanted := make(map[string]int, len(sites))
	indices := make([]int, len(sites))
	for i, site := range sites {
		wanted[site.Module] = i
		indices[i] = -1
	}
	for i, site := range a.Sites {
		at, there := wanted[site.Module]
		if !there {
			return nil, fmt.Errorf("adapter: the model has no site %s: %w (it may have been exported without LoRA there)", site.Module, ErrOtherModel)
		}
		if site != sites[at] {
			return nil, fmt.Errorf("adapter: module %s is [%d, %d] in the adapter and [%d, %d] in the model: %w",
				site.Module, site.Out, site.In, sites[at].Out, sites[at].In, ErrOtherModel)
		}
		indices[at] = i
	}
	return indices, nil
}

// checkModule holds a module path to segments of letters, digits, '_' and '-',
// joined by '.': what PyTorch modules are called, and nothing that means
// something in a file name, a pattern or a terminal.
func checkModule(module string) error {
	if len(module) > maxModuleBytes {
		return fmt.Errorf("module name of %d bytes, at most %d are allowed", len(module), maxModuleBytes)
	}
	for _, segment := range strings.Split(module, ".") {
		if segment == "" {
			return fmt.Errorf("module name %q has an empty part", module)
		}
		for _, char := range segment {
			plain := char == '_' || char == '-' || '0' <= char && char <= '9' || 'a' <= char && char <= 'z' || 'A' <= char && char <= 'Z'
			if !plain {
				return fmt.Errorf("module name %q holds %q", module, char)
			}
		}
	}
	return nil
}

func notFinite(values []float32) (int, bool) {
	for i, value := range values {
		if math.IsNaN(float64(value)) || math.IsInf(float64(value), 0) {
			return i, true
		}
	}
	return 0, false
}
