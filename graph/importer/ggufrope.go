package importer

import (
	"fmt"
	"math"
	"slices"
)

// linearScaling reads how RoPE is stretched evenly. llama.cpp takes a factor
// without a type for linear.
func (f *ggufFields) linearScaling() RopeScaling {
	factor := f.numberOr("rope.scaling.factor", f.numberOr("rope.scale_linear", 0))
	if attention := f.numberOr("rope.scaling.attn_factor", 1); attention != 1 {
		f.fail("%srope.scaling.attn_factor %g: is not supported: %w", f.prefix, attention, ErrUnsupported)
	}
	switch kind := f.textOr("rope.scaling.type", "linear"); {
	case kind == "none":
		return RopeScaling{}
	case kind != "linear":
		f.fail("%srope.scaling.type %.64q: linear is supported: %w", f.prefix, kind, ErrUnsupported)
	case !(factor >= 0) || math.IsInf(factor, 0):
		f.fail("%srope.scaling.factor %g: want a number above 0: %w", f.prefix, factor, ErrInvalid)
	case factor != 0 && factor != 1:
		return RopeScaling{Kind: RopeLinear, Factor: factor}
	}
	return RopeScaling{}
}

// addFactors makes rope_freqs.weight part of the config: a number for each of
// the HeadDim/2 frequencies, by which it is divided. llama.cpp's converter
// computes them from Llama 3's settings, which it does not keep.
func (f *ggufFields) addFactors(c *Config) error {
	tensor, found := f.file.Lookup(ggufFrequencies)
	if !found {
		return nil
	}
	if !slices.Equal(tensor.Shape, []int{c.HeadDim / 2}) {
		return fmt.Errorf("tensor %q: found shape %v, want [%d]: %w", ggufFrequencies, tensor.Shape, c.HeadDim/2, ErrInvalid)
	}
	factors := make([]float32, c.HeadDim/2)
	if err := f.file.ReadF32(ggufFrequencies, factors); err != nil {
		return fmt.Errorf("tensor %q: %w", ggufFrequencies, ggufError(err))
	}
	scaling, fits := fitLlama3(factors, c.RopeTheta)
	if !fits {
		return fmt.Errorf("tensor %q: factors that are not those of Llama 3's scaling: give the Hugging Face folder that the file was made from: %w", ggufFrequencies, ErrUnsupported)
	}
	if scaling.Kind != RopePlain && c.Rope.Kind != RopePlain {
		return fmt.Errorf("tensor %q beside rope.scaling.factor %g: one of the two is supported: %w", ggufFrequencies, c.Rope.Factor, ErrUnsupported)
	}
	if scaling.Kind != RopePlain {
		c.Rope = scaling
	}
	return nil
}

// fitLlama3 finds settings that give the factors. Those of Llama 3 are tried
// first: 1, 4 and a power of two. Otherwise, let a frequency turn t times in original
// positions: it keeps the share k = (t − low) / (high − low) within 0 and 1 of
// its speed, which is a line; two points on it, or one and a slope steep enough
// that the next point is not on it, give low and high for any original.
func fitLlama3(factors []float32, theta float64) (RopeScaling, bool) {
	factor := float64(slices.Max(factors))
	if !(slices.Min(factors) >= 1) || math.IsInf(factor, 0) {
		return RopeScaling{}, false
	}
	if factor == 1 {
		return RopeScaling{}, true
	}
	if float64(slices.Min(factors)) == factor {
		return RopeScaling{Kind: RopeLinear, Factor: factor}, true
	}
	for original := 64; original <= 1<<17; original *= 2 {
		scaling := RopeScaling{Kind: RopeLlama3, Factor: factor, LowFactor: 1, HighFactor: 4, OriginalPositions: original}
		if scaling.gives(factors, theta) {
			return scaling, true
		}
	}
	const original = 8192
	low, high := llama3Line(factors, factor, func(pair int) float64 { return turns(original, theta, pair, len(factors)) })
	scaling := RopeScaling{Kind: RopeLlama3, Factor: factor, LowFactor: low, HighFactor: high, OriginalPositions: original}
	return scaling, low > 0 && high > low && !math.IsInf(high, 0) && scaling.gives(factors, theta)
}

// turns is how often pair turns in original positions.
func turns(original int, theta float64, pair, pairs int) float64 {
	return float64(original) * math.Pow(theta, -float64(pair)/float64(pairs)) / (2 * math.Pi)
}

// keptShare is k of fitLlama3 for a stored factor: 1/stored = k + (1−k)/factor.
func keptShare(stored float32, factor float64) float64 {
	return (1/float64(stored) - 1/factor) / (1 - 1/factor)
}

// llama3Line lays the line of fitLlama3 through the factors and returns where it
// is 0 and 1. The factors do not begin or end it at the same pair.
func llama3Line(factors []float32, factor float64, turns func(pair int) float64) (low, high float64) {
	first, last := -1, -1 // pairs on the slope
	for pair, stored := range factors {
		if stored != 1 && float64(stored) != factor {
			if first < 0 {
				first = pair
			}
			last = pair
		}
	}
	if first < 0 { // from 1 to factor without a step between
		pair := slices.IndexFunc(factors, func(stored float32) bool { return stored != 1 })
		if pair < 1 {
			return 0, 0
		}
		return turns(pair), turns(pair - 1)
	}
	t, k := turns(first), keptShare(factors[first], factor)
	var slope float64 // of k over t
	if last > first {
		slope = (k - keptShare(factors[last], factor)) / (t - turns(last))
	} else {
		if first > 0 {
			slope = max(slope, 2*(1-k)/(turns(first-1)-t))
		}
		if first+1 < len(factors) { // its factor is the full one
			slope = max(slope, 2*k/(t-turns(first+1)))
		}
	}
	low = t - k/slope
	return low, low + 1/slope
}

// gives tells whether the settings make these factors. The converter computes
// the frequencies in float32, whose error grows by up to the factor.
func (s RopeScaling) gives(factors []float32, theta float64) bool {
	for pair, stored := range factors {
		k := (turns(s.OriginalPositions, theta, pair, len(factors)) - s.LowFactor) / (s.HighFactor - s.LowFactor)
		k = min(max(k, 0), 1)
		made := 1 / (k + (1-k)/s.Factor)
		if !(math.Abs(made-float64(stored)) <= 1e-4*made) {
			return false
		}
	}
	return true
}
