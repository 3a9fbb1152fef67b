package importer

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"zeroth/internal/gguf"
)

// readGGUFConfig reads the metadata and, where there is one, the table of
// RoPE's factors. Keys without bearing on the arithmetic are passed over; those
// that would change it in a way Zeroth does not do are errors that name them.
func readGGUFConfig(file *gguf.File) (Config, error) {
	f := &ggufFields{file: file}
	if kind := f.textOr("general.type", "model"); kind != "model" {
		f.fail("general.type %.64q: want the file of a model: %w", kind, ErrUnsupported)
	}
	if parts := f.integerOr("split.count", 1); parts > 1 {
		f.fail("split.count %d: join the parts with llama-gguf-split --merge and give the whole: %w", parts, ErrUnsupported)
	}
	architecture := f.textOr("general.architecture", "")
	if f.err != nil {
		return Config{}, f.err
	}
	f.prefix = architecture + "."
	switch architecture {
	case "llama", "qwen2", "qwen3":
		return f.llama(architecture)
	case "gpt2":
		return f.gpt2()
	}
	return Config{}, fmt.Errorf("general.architecture %.64q: llama, qwen2, qwen3 and gpt2 are supported: %w", architecture, ErrUnsupported)
}

// llama reads the sizes of a Llama, Qwen2 or Qwen3.
func (f *ggufFields) llama(architecture string) (Config, error) {
	c := f.common(architecture)
	c.KVHeads = f.integerOr("attention.head_count_kv", c.Heads)
	c.NormEps = f.number("attention.layer_norm_rms_epsilon")
	c.QKVBias, c.HeadNorm = architecture == "qwen2", architecture == "qwen3"
	switch {
	case f.given("attention.key_length"):
		c.HeadDim = f.integer("attention.key_length")
	case c.Heads > 0 && c.HiddenSize%c.Heads == 0:
		c.HeadDim = c.HiddenSize / c.Heads
	default:
		f.fail("%sembedding_length %d is no multiple of %sattention.head_count %d, and %sattention.key_length is not given: %w",
			f.prefix, c.HiddenSize, f.prefix, c.Heads, f.prefix, ErrInvalid)
	}
	for _, name := range []string{"attention.value_length", "rope.dimension_count"} {
		if size := f.integerOr(name, c.HeadDim); size != c.HeadDim && c.HeadDim > 0 {
			f.fail("%s%s %d: only the whole head, %d, is supported: %w", f.prefix, name, size, c.HeadDim, ErrUnsupported)
		}
	}
	c.RopeTheta = f.numberOr("rope.freq_base", 10000)
	c.Rope = f.linearScaling()
	if f.err != nil {
		return Config{}, f.err
	}
	if err := c.check(f.names("attention.layer_norm_rms_epsilon", "attention.key_length")); err != nil {
		return Config{}, err
	}
	if err := c.checkRotary(f.prefix + "attention.key_length"); err != nil {
		return Config{}, err
	}
	return c, f.addFactors(&c)
}

// gpt2 reads the sizes of a GPT-2. Its converter knows one activation.
func (f *ggufFields) gpt2() (Config, error) {
	c := f.common("gpt2")
	c.NormEps = f.number("attention.layer_norm_epsilon")
	c.Activation = GELUTanh
	if heads := f.integerOr("attention.head_count_kv", c.Heads); heads != c.Heads {
		f.fail("%sattention.head_count_kv %d: want one for each of the %d heads: %w", f.prefix, heads, c.Heads, ErrUnsupported)
	}
	c.KVHeads = c.Heads
	if c.Heads < 1 || c.HiddenSize%c.Heads != 0 {
		f.fail("%sembedding_length %d is no multiple of %sattention.head_count %d: %w", f.prefix, c.HiddenSize, f.prefix, c.Heads, ErrInvalid)
	} else {
		c.HeadDim = c.HiddenSize / c.Heads
	}
	if f.err != nil {
		return Config{}, f.err
	}
	return c, c.check(f.names("attention.layer_norm_epsilon", "embedding_length / heads"))
}

// common reads what all architectures have and refuses what none may have.
func (f *ggufFields) common(architecture string) Config {
	c := Config{
		Architecture:     architecture,
		HiddenSize:       f.integer("embedding_length"),
		IntermediateSize: f.integer("feed_forward_length"),
		Layers:           f.integer("block_count"),
		Heads:            f.integer("attention.head_count"),
		MaxPositions:     f.integer("context_length"),
		VocabSize:        f.vocabSize(),
	}
	_, head := f.file.Lookup(ggufHead)
	c.Tied = !head
	if count := f.integerOr("expert_count", 0); count != 0 {
		f.fail("%sexpert_count %d: mixtures of experts are not supported: %w", f.prefix, count, ErrUnsupported)
	}
	if window := f.integerOr("attention.sliding_window", 0); window != 0 && window < c.MaxPositions {
		f.fail("%sattention.sliding_window %d: sliding windows are not supported: %w", f.prefix, window, ErrUnsupported)
	}
	f.want("attention.causal", "true")
	f.want("use_parallel_residual", "false")
	for _, name := range []string{"attention.scale", "attention.max_alibi_bias", "attention.clamp_kqv", "logit_scale", "residual_scale", "embedding_scale"} {
		if value := f.numberOr(name, 0); value != 0 {
			f.fail("%s%s %g: is not supported: %w", f.prefix, name, value, ErrUnsupported)
		}
	}
	prefix := f.prefix
	f.prefix = ""
	c.BOS = f.integerOr("tokenizer.ggml.bos_token_id", -1)
	c.EOS = f.integerOr("tokenizer.ggml.eos_token_id", -1)
	f.prefix = prefix
	return c
}

// vocabSize takes what is there: the size, the tokens, the embedding's rows.
func (f *ggufFields) vocabSize() int {
	if f.given("vocab_size") {
		return f.integer("vocab_size")
	}
	if tokens, found := f.file.Find("tokenizer.ggml.tokens"); found {
		return int(min(tokens.Count, math.MaxInt32))
	}
	if embedding, found := f.file.Lookup(ggufEmbedding); found && len(embedding.Shape) == 2 {
		return embedding.Shape[0]
	}
	f.fail("%svocab_size is not given, nor %s: %w", f.prefix, ggufEmbedding, ErrInvalid)
	return 0
}

// names are the metadata's words for the sizes.
func (f *ggufFields) names(normEps, headDim string) fieldNames {
	return fieldNames{
		hidden: f.prefix + "embedding_length", intermediate: f.prefix + "feed_forward_length",
		layers: f.prefix + "block_count", heads: f.prefix + "attention.head_count",
		kvHeads: f.prefix + "attention.head_count_kv", headDim: f.prefix + headDim,
		vocab: f.prefix + "vocab_size", positions: f.prefix + "context_length", normEps: f.prefix + normEps,
	}
}

// ggufFields reads typed metadata and remembers the first error.
type ggufFields struct {
	file   *gguf.File
	prefix string // of the keys: "", or the architecture and a dot
	err    error
}

func (f *ggufFields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// failWith takes an error of the container's. A list where one number is read
// gives each layer its own.
func (f *ggufFields) failWith(name string, err error) {
	if entry, found := f.file.Find(f.prefix + name); found && entry.Type == gguf.Array && errors.Is(err, gguf.ErrType) {
		f.fail("%s%s differs from layer to layer: %w", f.prefix, name, ErrUnsupported)
	}
	f.fail("%w", ggufError(err))
}

func (f *ggufFields) given(name string) bool {
	_, found := f.file.Find(f.prefix + name)
	return found
}

// must fails for a key that is not there.
func (f *ggufFields) must(name string) {
	if !f.given(name) {
		f.fail("%s%s is not given: %w", f.prefix, name, ErrInvalid)
	}
}

func (f *ggufFields) integer(name string) int {
	f.must(name)
	return f.integerOr(name, 0)
}

func (f *ggufFields) number(name string) float64 {
	f.must(name)
	return f.numberOr(name, 0)
}

func (f *ggufFields) integerOr(name string, fallback int) int {
	if !f.given(name) {
		return fallback
	}
	value, err := f.file.Uint(f.prefix + name)
	if err != nil {
		f.failWith(name, err)
		return fallback
	}
	if value > math.MaxInt32 {
		f.fail("%s%s %d: want at most %d: %w", f.prefix, name, value, math.MaxInt32, ErrInvalid)
		return fallback
	}
	return int(value)
}

// numberOr gives a FLOAT32 as the decimal that it was made from: the 1e-05 of
// a config.json, not the nearest float32.
func (f *ggufFields) numberOr(name string, fallback float64) float64 {
	if !f.given(name) {
		return fallback
	}
	value, err := f.file.Float(f.prefix + name)
	if err != nil {
		f.failWith(name, err)
		return fallback
	}
	if entry, _ := f.file.Find(f.prefix + name); entry.Type == gguf.Float64 {
		return value
	}
	decimal, err := strconv.ParseFloat(strconv.FormatFloat(value, 'g', -1, 32), 64)
	if err != nil {
		return value
	}
	return decimal
}

func (f *ggufFields) textOr(name, fallback string) string {
	if !f.given(name) {
		return fallback
	}
	value, err := f.file.String(f.prefix + name)
	if err != nil {
		f.failWith(name, err)
		return fallback
	}
	return value
}

// want fails for a boolean other than the one that is supported.
func (f *ggufFields) want(name, only string) {
	if !f.given(name) {
		return
	}
	value, err := f.file.Bool(f.prefix + name)
	if err != nil {
		f.failWith(name, err)
	} else if strconv.FormatBool(value) != only {
		f.fail("%s%s %v: only %s is supported: %w", f.prefix, name, value, only, ErrUnsupported)
	}
}
