package main

import (
	"cmp"
	"math"
	"slices"

	"zeroth/runtime/noise"
)

// sampling says how the next token is chosen.
type sampling struct {
	Temperature float64
	TopP        float64
	Seed        uint64
}

// pick chooses a token by its logits. The choice is a function of the seed and
// the position, so a run can be repeated.
func (s sampling) pick(logits []float32, position uint64) int32 {
	best := 0
	for i, l := range logits {
		if l > logits[best] {
			best = i
		}
	}
	if s.Temperature == 0 {
		return int32(best)
	}
	order := make([]int, len(logits))
	probability := make([]float64, len(logits))
	total := 0.0
	for i, l := range logits {
		order[i] = i
		probability[i] = math.Exp(float64(l-logits[best]) / s.Temperature)
		total += probability[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(probability[b], probability[a]) })
	kept, mass := 0, 0.0
	for kept < len(order) && (kept == 0 || mass < s.TopP*total) {
		mass += probability[order[kept]]
		kept++
	}
	word := noise.StepSeed(s.Seed, position)[0]
	at := (float64(word) + 0.5) / (1 << 32) * mass
	for _, i := range order[:kept] {
		if at -= probability[i]; at <= 0 {
			return int32(i)
		}
	}
	return int32(order[kept-1])
}
