package main

import (
	"math"
	"testing"
)

func TestPickTakesTheLikeliestWithoutTemperature(t *testing.T) {
	if have := (sampling{TopP: 1, Seed: 3}).pick([]float32{-1, 4, 4, 2}, 9); have != 1 {
		t.Errorf("picked %d, want 1, the first of the likeliest", have)
	}
}

func TestPickFollowsTheProbabilities(t *testing.T) {
	logits := []float32{float32(math.Log(0.5)), float32(math.Log(0.3)), float32(math.Log(0.2))}
	const draws = 20000
	for _, c := range []struct {
		topP float64
		want [3]float64
	}{
		{1, [3]float64{0.5, 0.3, 0.2}},
		{0.7, [3]float64{0.625, 0.375, 0}}, // the third is cut off
		{0.4, [3]float64{1, 0, 0}},         // one always stays
	} {
		var counts [3]int
		s := sampling{Temperature: 1, TopP: c.topP, Seed: 7}
		for position := range uint64(draws) {
			counts[s.pick(logits, position)]++
		}
		for i, n := range counts {
			if have := float64(n) / draws; math.Abs(have-c.want[i]) > 0.02 {
				t.Errorf("top-p %g: token %d came in %.3f of the draws, want %.3f", c.topP, i, have, c.want[i])
			}
		}
	}
}
