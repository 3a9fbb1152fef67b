package importer

import "math"

// rope reads the settings of RoPE in both spellings: rope_theta at the top with
// rope_scaling beside it, or both in rope_parameters (transformers 5).
func (f *fields) rope() (theta float64, scaling RopeScaling) {
	const standard = 10000
	theta = f.numberOr("rope_theta", standard)
	before := ""
	for _, name := range []string{"rope_parameters", "rope_scaling"} {
		if !f.given(name) {
			continue
		}
		inner, ok := f.object(name)
		if !ok {
			return theta, scaling
		}
		found := inner.ropeScaling()
		innerTheta := inner.numberOr("rope_theta", theta)
		if f.given("rope_theta") && innerTheta != theta {
			inner.fail("%s.rope_theta %g and rope_theta %g differ: %w", name, innerTheta, theta, ErrInvalid)
		}
		if before != "" && found != scaling {
			inner.fail("%s and %s differ: %w", before, name, ErrInvalid)
		}
		theta, scaling, before = innerTheta, found, name
		if inner.err != nil {
			f.fail("%w", inner.err)
		}
	}
	return theta, scaling
}

// ropeScaling reads the object rope_scaling or rope_parameters.
func (f *fields) ropeScaling() RopeScaling {
	f.wantNumber("partial_rotary_factor", 1)
	kind := f.textOr("rope_type", f.textOr("type", ""))
	if kind == "default" || kind == "" && !f.given("factor") {
		return RopeScaling{}
	}
	switch kind {
	case RopeLinear:
		return RopeScaling{Kind: kind, Factor: f.ropeFactor("factor")}
	case RopeLlama3:
		scaling := RopeScaling{
			Kind: kind, Factor: f.ropeFactor("factor"),
			LowFactor: f.ropeFactor("low_freq_factor"), HighFactor: f.ropeFactor("high_freq_factor"),
			OriginalPositions: f.integer("original_max_position_embeddings"),
		}
		if scaling.HighFactor <= scaling.LowFactor {
			f.fail("%shigh_freq_factor %g: want more than low_freq_factor %g: %w", f.prefix, scaling.HighFactor, scaling.LowFactor, ErrInvalid)
		}
		if scaling.OriginalPositions < 1 {
			f.fail("%soriginal_max_position_embeddings %d: want at least 1: %w", f.prefix, scaling.OriginalPositions, ErrInvalid)
		}
		return scaling
	}
	f.fail("%srope_type %.64q: linear and llama3 are supported, use a checkpoint without this: %w", f.prefix, kind, ErrUnsupported)
	return RopeScaling{}
}

// ropeFactor reads a number above 0 that must be given.
func (f *fields) ropeFactor(name string) float64 {
	if !f.given(name) {
		f.fail("%s%s is not given: %w", f.prefix, name, ErrInvalid)
		return 1
	}
	value := f.numberOr(name, 1)
	if !(value > 0) || math.IsInf(value, 0) {
		f.fail("%s%s %g: want a number above 0: %w", f.prefix, name, value, ErrInvalid)
	}
	return value
}
