package importer

import (
	"fmt"
	"math"
)

// Config is what a Llama-architecture checkpoint says of its shape. Sizes
// count elements. Heads is a multiple of KVHeads; HeadDim is even and need not
// be HiddenSize / Heads.
type Config struct {
	Architecture string // "llama"

	HiddenSize, IntermediateSize int
	Layers, Heads, KVHeads       int
	HeadDim                      int
	VocabSize, MaxPositions      int

	NormEps   float64 // added to the mean square in RMSNorm
	RopeTheta float64 // base of RoPE's frequencies

	// Interleaved is RoPE's pairing within a head: true = llama2.c, elements
	// 2i and 2i+1; false = Hugging Face, elements i and i + HeadDim/2.
	Interleaved bool
	// Tied says that the output head is the embedding.
	Tied bool

	// BOS and EOS are token ids, −1 where the checkpoint gives none. Of
	// several EOS ids this is the first.
	BOS, EOS int
}

// fieldNames are a format's own words for the fields of Config, for errors.
type fieldNames struct {
	hidden, intermediate, layers, heads, kvHeads, headDim, vocab, positions string
}

// check holds the sizes against limits far above any model. They keep every
// product of two sizes, and the bytes of a llama2.c file, well within int64.
func (c Config) check(names fieldNames) error {
	for _, field := range [...]struct {
		name       string
		value, max int
	}{
		{names.hidden, c.HiddenSize, 1 << 20},
		{names.intermediate, c.IntermediateSize, 1 << 22},
		{names.layers, c.Layers, 1 << 12},
		{names.heads, c.Heads, 1 << 14},
		{names.kvHeads, c.KVHeads, 1 << 14},
		{names.headDim, c.HeadDim, 1 << 14},
		{names.vocab, c.VocabSize, 1 << 24},
		{names.positions, c.MaxPositions, 1 << 27},
	} {
		if field.value < 1 || field.value > field.max {
			return fmt.Errorf("%s %d: want 1 to %d: %w", field.name, field.value, field.max, ErrInvalid)
		}
	}
	if c.Heads%c.KVHeads != 0 {
		return fmt.Errorf("%s %d is no multiple of %s %d: %w", names.heads, c.Heads, names.kvHeads, c.KVHeads, ErrInvalid)
	}
	if c.HeadDim%2 != 0 {
		return fmt.Errorf("%s %d is odd, RoPE needs pairs: %w", names.headDim, c.HeadDim, ErrInvalid)
	}
	if !(c.NormEps > 0 && c.NormEps < 1) {
		return fmt.Errorf("rms_norm_eps %g: want more than 0 and less than 1: %w", c.NormEps, ErrInvalid)
	}
	if !(c.RopeTheta > 0) || math.IsInf(c.RopeTheta, 0) {
		return fmt.Errorf("rope_theta %g: want a number above 0: %w", c.RopeTheta, ErrInvalid)
	}
	for _, id := range [...]struct {
		name  string
		value int
	}{{"bos_token_id", c.BOS}, {"eos_token_id", c.EOS}} {
		if id.value < -1 || id.value >= c.VocabSize {
			return fmt.Errorf("%s %d: the vocabulary has ids 0 to %d: %w", id.name, id.value, c.VocabSize-1, ErrInvalid)
		}
	}
	return nil
}
