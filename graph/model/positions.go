package model

import (
	"math"

	"zeroth/graph"
	"zeroth/graph/importer"
)

// learnedPositions is the table [context, C] of position vectors, the rows that
// the checkpoint has before position 0 left out. addend, where it is named, is a
// table [addendRows, C] whose row 0 is added to each.
func (b *block) learnedPositions(name, addend string, addendRows int) *graph.Value {
	c := b.config
	size := c.HiddenSize
	return b.table(name, b.context, size, func(dst []float32) error {
		stored := make([]float32, (c.MaxPositions+c.PositionOffset)*size)
		if err := b.weights.ReadF32(name, stored); err != nil {
			return err
		}
		copy(dst, stored[c.PositionOffset*size:])
		if addend == "" {
			return nil
		}
		added := make([]float32, addendRows*size)
		if err := b.weights.ReadF32(addend, added); err != nil {
			return err
		}
		for i := range dst {
			dst[i] += added[i%size]
		}
		return nil
	}).Value()
}

// rotaryTables are cos and sin [context, D/2] of RoPE (Su et al. 2021): the
// angle of pair i at position t is t times the pair's frequency.
func (b *block) rotaryTables() (cos, sin *graph.Constant) {
	frequencies := ropeFrequencies(b.config)
	table := func(name string, f func(float64) float64) *graph.Constant {
		return b.table(name, b.context, len(frequencies), func(dst []float32) error {
			for i := range dst {
				position, pair := i/len(frequencies), i%len(frequencies)
				dst[i] = float32(f(float64(position) * frequencies[pair]))
			}
			return nil
		})
	}
	return table("rotary.cos", math.Cos), table("rotary.sin", math.Sin)
}

// ropeFrequencies are θ^(−2i/D) for pair i, in radians a position, stretched by
// the config's scaling. (Llama 3's is that of Meta's reference code.)
func ropeFrequencies(c importer.Config) []float64 {
	frequencies := make([]float64, c.HeadDim/2)
	for i := range frequencies {
		f := math.Pow(c.RopeTheta, -2*float64(i)/float64(c.HeadDim))
		switch scaling := c.Rope; scaling.Kind {
		case importer.RopeLinear:
			f /= scaling.Factor
		case importer.RopeLlama3:
			turns := float64(scaling.OriginalPositions) * f / (2 * math.Pi)
			kept := (turns - scaling.LowFactor) / (scaling.HighFactor - scaling.LowFactor)
			kept = min(max(kept, 0), 1)
			f *= kept + (1-kept)/scaling.Factor
		}
		frequencies[i] = f
	}
	return frequencies
}
