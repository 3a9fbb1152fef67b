package gpu

import "slices"

// Kernel names a kernel and says what it takes. A device has one of that name,
// whose buffers are at bindings 0, 1, … and whose parameters, words of 32 bits,
// follow them.
type Kernel struct {
	Name    string
	Buffers int
	Words   int    // of parameters
	Writes  uint32 // bit i: buffer i is written
	// Half names its variant whose activations lie in memory as f16 (HalfList).
	// All else, and what it computes with, stays f32.
	Half bool
}

// The kernels. Each is described at the head of its source in
// kernels/vulkan/shaders.
var (
	kernelAdapt       = Kernel{Name: "adapt", Buffers: 6, Words: 3, Writes: 1 << 5}
	kernelAttention   = Kernel{Name: "attention", Buffers: 5, Words: 10, Writes: 1 << 4}
	kernelChoiceLoss  = Kernel{Name: "choiceloss", Buffers: 5, Words: 4, Writes: 1 << 4}
	kernelElementwise = Kernel{Name: "elementwise", Buffers: 3, Words: 3, Writes: 1 << 2}
	kernelGather      = Kernel{Name: "gather", Buffers: 3, Words: 6, Writes: 1 << 2}
	kernelHead        = Kernel{Name: "head", Buffers: 6, Words: 9, Writes: 1<<4 | 1<<5}
	kernelHeadSum     = Kernel{Name: "headsum", Buffers: 3, Words: 2, Writes: 1 << 2}
	kernelLinear      = Kernel{Name: "linear", Buffers: 6, Words: 10, Writes: 1 << 3}
	kernelNormalize   = Kernel{Name: "normalize", Buffers: 4, Words: 4, Writes: 1 << 3}
	kernelPerturb     = Kernel{Name: "perturb", Buffers: 6, Words: 6, Writes: 1 << 5}
	kernelRotary      = Kernel{Name: "rotary", Buffers: 5, Words: 5, Writes: 1 << 4}
	kernelRound       = Kernel{Name: "round", Buffers: 3, Words: 4, Writes: 1<<1 | 1<<2}
	kernelSlice       = Kernel{Name: "slice", Buffers: 2, Words: 4, Writes: 1 << 1}
	kernelUpdate      = Kernel{Name: "update", Buffers: 5, Words: 7, Writes: 1 << 0}
	kernelWeightedSum = Kernel{Name: "weightedsum", Buffers: 3, Words: 2, Writes: 1 << 2}
)

// The kernels of multipliers.
var (
	kernelLinearDot        = Kernel{Name: "lineardot", Buffers: 7, Words: 11, Writes: 1 << 4}
	kernelHeadDot          = Kernel{Name: "headdot", Buffers: 7, Words: 11, Writes: 1<<5 | 1<<6}
	kernelLinearMatrix     = Kernel{Name: "linearmatrix", Buffers: 7, Words: 11, Writes: 1 << 4}
	kernelHeadMatrix       = Kernel{Name: "headmatrix", Buffers: 7, Words: 11, Writes: 1<<5 | 1<<6}
	kernelLinearByteMatrix = Kernel{Name: "linearbytematrix", Buffers: 7, Words: 11, Writes: 1 << 4}
	kernelHeadByteMatrix   = Kernel{Name: "headbytematrix", Buffers: 7, Words: 11, Writes: 1<<5 | 1<<6}
)

// VariantList are the kernels that a device must have which has all of Arithmetic.
func VariantList() []Kernel {
	return []Kernel{
		kernelRound, kernelLinearDot, kernelHeadDot, kernelLinearMatrix, kernelHeadMatrix, kernelLinearByteMatrix, kernelHeadByteMatrix,
	}
}

// halved are the kernels that have a variant for activations in f16. Its constants
// are the kernel's, and for two of them one behind those: for gather whether data is
// f16, too; for linear whether y is working memory, which is f32.
var halved = []Kernel{
	kernelAttention, kernelElementwise, kernelGather, kernelHead, kernelLinear, kernelNormalize, kernelRotary, kernelRound, kernelSlice,
	kernelLinearDot, kernelLinearMatrix, kernelLinearByteMatrix,
}

// HalfList are the variants that a device must have, of its kernels, where
// Arithmetic.Store16 is set.
func HalfList() []Kernel {
	list := slices.Clone(halved)
	for i := range list {
		list[i].Half = true
	}
	return list
}

// hasHalf reports whether a kernel has a variant for activations in f16.
func (k Kernel) hasHalf() bool {
	return slices.ContainsFunc(halved, func(h Kernel) bool { return h.Name == k.Name })
}

// The kernels of Peaks.
var (
	kernelPeakFloat      = Kernel{Name: "peakfloat", Buffers: 1, Words: 1, Writes: 1 << 0}
	kernelPeakDot        = Kernel{Name: "peakdot", Buffers: 1, Words: 1, Writes: 1 << 0}
	kernelPeakMatrix     = Kernel{Name: "peakmatrix", Buffers: 1, Words: 1, Writes: 1 << 0}
	kernelPeakByteMatrix = Kernel{Name: "peakbytematrix", Buffers: 1, Words: 1, Writes: 1 << 0}
	kernelPeakCopy       = Kernel{Name: "peakcopy", Buffers: 2, Words: 1, Writes: 1 << 1}
)

// PeakList are the kernels of Peaks, which a device need not have.
func PeakList() []Kernel {
	return []Kernel{kernelPeakFloat, kernelPeakDot, kernelPeakMatrix, kernelPeakByteMatrix, kernelPeakCopy}
}

// KernelList are the kernels that every device must have.
func KernelList() []Kernel {
	return []Kernel{
		kernelAdapt, kernelAttention, kernelChoiceLoss, kernelElementwise, kernelGather, kernelHead, kernelHeadSum, kernelLinear,
		kernelNormalize, kernelPerturb, kernelRotary, kernelSlice, kernelUpdate, kernelWeightedSum,
	}
}

const (
	// MaxConstants is the most constants that a kernel is compiled for.
	MaxConstants = 11
	// SubgroupConstant is, where a kernel is compiled for so many, the size of
	// the full subgroups that it wants.
	SubgroupConstant = 7
	// MaxWords is the most parameters of a kernel.
	MaxWords = 16
)

// Stage is a kernel with what it works on, which is fixed.
type Stage struct {
	Kernel    Kernel
	Constants []uint32 // that the kernel is compiled for: constant 0, 1, …
	Spans     []Span   // the kernel's buffers
	// Extents writes the parameters for the extents of the moment and returns
	// the number of work groups; with none there is nothing to do.
	Extents func(words []uint32) int
	Work    float64 // about as many multiplications at the bounds
}

// Waits says which stages must wait for those before them: those that read what
// a stage since the last wait writes, or write what it reads or writes.
func Waits(stages []Stage) []bool {
	waits := make([]bool, len(stages))
	since := 0 // first stage after the last wait
	for i := range stages {
		for k := since; k < i; k++ {
			if stages[i].conflicts(&stages[k]) {
				waits[i], since = true, i
				break
			}
		}
	}
	return waits
}

func (s *Stage) conflicts(other *Stage) bool {
	for i, a := range s.Spans {
		for k, b := range other.Spans {
			if (s.Kernel.Writes>>i|other.Kernel.Writes>>k)&1 != 0 && a.overlaps(b) {
				return true
			}
		}
	}
	return false
}
