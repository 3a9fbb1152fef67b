package model

import (
	"math"

	"zeroth/graph"
	"zeroth/graph/importer"
)

// learnedPositions is the table [context, C] of position vectors, the rows that
// the checkpoint has before position 0 left out. addend, where it is named, is a
// table [·, C] whose row 0 is added to each.
func (b *block) learnedPositions(name, addend string) *graph.Value {
	size := b.config.HiddenSize
	return b.table(name, b.context, size, func(first int, dst []float32) error {
		if err := b.weights.ReadRows(name, b.config.PositionOffset+first, dst); err != nil || addend == "" {
			return err
		}
		added := make([]float32, size)
		if err := b.weights.ReadRows(addend, 0, added); err != nil {
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
		return b.table(name, b.context, len(frequencies), func(first int, dst []float32) error {
			for i := range dst {
				position, pair := first+i/len(frequencies), i%len(frequencies)
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
