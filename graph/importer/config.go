package importer

import (
	"fmt"
	"math"
)

// Config is what a checkpoint says of its model. Sizes count elements. Heads is
// a multiple of KVHeads. What an architecture does not have is zero.
type Config struct {
	Architecture string // "llama", "qwen2", "qwen3", "gpt2", "opt" or "roberta"

	HiddenSize, IntermediateSize int
	Layers, Heads, KVHeads       int
	HeadDim                      int // need not be HiddenSize / Heads in llama and qwen
	VocabSize                    int
	MaxPositions                 int // tokens of the longest sequence

	NormEps float64 // added to the mean square in RMSNorm, to the variance in LayerNorm
	Tied    bool    // the output head is the embedding

	// BOS and EOS are token ids, −1 where the checkpoint gives none. Of
	// several EOS ids this is the first.
	BOS, EOS int

	// Of llama, qwen2 and qwen3:

	RopeTheta float64 // base of RoPE's frequencies
	Rope      RopeScaling
	// Interleaved is RoPE's pairing within a head: true = llama2.c, elements
	// 2i and 2i+1; false = Hugging Face, elements i and i + HeadDim/2.
	Interleaved bool
	QKVBias     bool // q, k and v have biases: qwen2
	HeadNorm    bool // RMSNorm of each head of q and k: qwen3

	// Of gpt2, opt and roberta:

	Activation Activation
	// PositionOffset is how many rows the table of positions has before that
	// of position 0: 2 in opt, pad_token_id + 1 in roberta.
	PositionOffset int
	TokenTypes     int // rows of roberta's table of token types; all tokens have type 0
	// EmbeddingSize is the length of opt's token embeddings. Where it is not
	// HiddenSize, project_in and project_out stand between the two.
	EmbeddingSize int
	PostNorm      bool // opt normalises after each block's sum, not before the block
	FinalNorm     bool // opt normalises what the last layer gives
}

// Activation is the function between the two layers of an MLP.
type Activation string

// The activations; llama and qwen have SwiGLU and leave this empty.
const (
	ReLU     Activation = "relu"
	GELU     Activation = "gelu"      // x · Φ(x)
	GELUTanh Activation = "gelu_tanh" // its approximation by tanh
)

// The kinds of RopeScaling.
const (
	RopePlain  = ""
	RopeLinear = "linear" // all frequencies divided by Factor
	// RopeLlama3 divides by Factor the frequencies that turn less than
	// LowFactor times in OriginalPositions, leaves those that turn more than
	// HighFactor times, and goes from one to the other linearly between.
	RopeLlama3 = "llama3"
)

// RopeScaling stretches RoPE to longer sequences than a model was first
// trained on.
type RopeScaling struct {
	Kind                  string
	Factor                float64
	LowFactor, HighFactor float64 // llama3
	OriginalPositions     int     // llama3
}

// Rotary reports whether positions enter by RoPE; otherwise a learned table
// of them is added to the embeddings.
func (c Config) Rotary() bool { return c.RopeTheta != 0 }

// fieldNames are a format's own words for the fields of Config, for errors.
type fieldNames struct {
	hidden, intermediate, layers, heads, kvHeads, headDim, vocab, positions, normEps string
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
	if !(c.NormEps > 0 && c.NormEps < 1) {
		return fmt.Errorf("%s %g: want more than 0 and less than 1: %w", names.normEps, c.NormEps, ErrInvalid)
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

// checkRotary holds the settings of RoPE to what it can be computed with.
func (c Config) checkRotary(headDim string) error {
	if c.HeadDim%2 != 0 {
		return fmt.Errorf("%s %d is odd, RoPE needs pairs: %w", headDim, c.HeadDim, ErrInvalid)
	}
	if !(c.RopeTheta > 0) || math.IsInf(c.RopeTheta, 0) {
		return fmt.Errorf("rope_theta %g: want a number above 0: %w", c.RopeTheta, ErrInvalid)
	}
	return nil
}
