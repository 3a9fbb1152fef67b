package gpu

// Kernel names a kernel and says what it takes. A device has one of that name,
// whose buffers are at bindings 0, 1, … and whose parameters, words of 32 bits,
// follow them.
type Kernel struct {
	Name    string
	Buffers int
	Words   int    // of parameters
	Writes  uint32 // bit i: buffer i is written
}

// The kernels. Each is described at the head of its source in
// kernels/vulkan/shaders.
var (
	kernelAdapt       = Kernel{"adapt", 6, 3, 1 << 5}
	kernelAttention   = Kernel{"attention", 5, 10, 1 << 4}
	kernelChoiceLoss  = Kernel{"choiceloss", 5, 4, 1 << 4}
	kernelElementwise = Kernel{"elementwise", 3, 3, 1 << 2}
	kernelGather      = Kernel{"gather", 3, 6, 1 << 2}
	kernelHead        = Kernel{"head", 6, 9, 1<<4 | 1<<5}
	kernelHeadSum     = Kernel{"headsum", 3, 2, 1 << 2}
	kernelLinear      = Kernel{"linear", 6, 10, 1 << 3}
	kernelNormalize   = Kernel{"normalize", 4, 4, 1 << 3}
	kernelPerturb     = Kernel{"perturb", 6, 6, 1 << 5}
	kernelRotary      = Kernel{"rotary", 5, 5, 1 << 4}
	kernelRound       = Kernel{"round", 3, 4, 1<<1 | 1<<2}
	kernelSlice       = Kernel{"slice", 2, 4, 1 << 1}
	kernelUpdate      = Kernel{"update", 5, 7, 1 << 0}
	kernelWeightedSum = Kernel{"weightedsum", 3, 2, 1 << 2}
)

// The kernels of multipliers.
var (
	kernelLinearDot        = Kernel{"lineardot", 7, 11, 1 << 4}
	kernelHeadDot          = Kernel{"headdot", 7, 11, 1<<5 | 1<<6}
	kernelLinearMatrix     = Kernel{"linearmatrix", 7, 11, 1 << 4}
	kernelHeadMatrix       = Kernel{"headmatrix", 7, 11, 1<<5 | 1<<6}
	kernelLinearByteMatrix = Kernel{"linearbytematrix", 7, 11, 1 << 4}
	kernelHeadByteMatrix   = Kernel{"headbytematrix", 7, 11, 1<<5 | 1<<6}
)

// VariantList are the kernels that a device must have which has all of Arithmetic.
func VariantList() []Kernel {
	return []Kernel{
		kernelRound, kernelLinearDot, kernelHeadDot, kernelLinearMatrix, kernelHeadMatrix, kernelLinearByteMatrix, kernelHeadByteMatrix,
	}
}

// The kernels of Peaks.
var (
	kernelPeakFloat      = Kernel{"peakfloat", 1, 1, 1 << 0}
	kernelPeakDot        = Kernel{"peakdot", 1, 1, 1 << 0}
	kernelPeakMatrix     = Kernel{"peakmatrix", 1, 1, 1 << 0}
	kernelPeakByteMatrix = Kernel{"peakbytematrix", 1, 1, 1 << 0}
	kernelPeakCopy       = Kernel{"peakcopy", 2, 1, 1 << 1}
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
