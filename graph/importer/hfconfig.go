package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// maxConfigKeys is far above the hundred or so keys of real configs.
const maxConfigKeys = 4096

// parseHFConfig reads config.json of a LlamaForCausalLM. Where transformers'
// LlamaConfig has a default, so has this. Fields without bearing on the
// arithmetic (torch_dtype, use_cache, …) are passed over; those that would
// change it in a way Zeroth does not do are errors that name them.
func parseHFConfig(text []byte) (Config, error) {
	values, err := object(text, maxConfigKeys)
	if err != nil {
		return Config{}, err
	}
	f := &fields{values: values}
	f.refuseOthers()
	config := Config{
		Architecture:     "llama",
		HiddenSize:       f.integer("hidden_size"),
		IntermediateSize: f.integer("intermediate_size"),
		Layers:           f.integer("num_hidden_layers"),
		Heads:            f.integer("num_attention_heads"),
		VocabSize:        f.integer("vocab_size"),
		MaxPositions:     f.integerOr("max_position_embeddings", 2048),
		NormEps:          f.numberOr("rms_norm_eps", 1e-6),
		RopeTheta:        f.rope(),
		Tied:             f.booleanOr("tie_word_embeddings", false),
		BOS:              f.tokenID("bos_token_id"),
		EOS:              f.tokenID("eos_token_id"),
	}
	config.KVHeads = f.integerOr("num_key_value_heads", config.Heads)
	if f.given("head_dim") {
		config.HeadDim = f.integer("head_dim")
	} else if config.Heads > 0 && config.HiddenSize%config.Heads == 0 {
		config.HeadDim = config.HiddenSize / config.Heads
	} else {
		f.fail("hidden_size %d is no multiple of num_attention_heads %d, and head_dim is not given: %w", config.HiddenSize, config.Heads, ErrInvalid)
	}
	if f.err != nil {
		return Config{}, f.err
	}
	return config, config.check(fieldNames{
		hidden: "hidden_size", intermediate: "intermediate_size", layers: "num_hidden_layers",
		heads: "num_attention_heads", kvHeads: "num_key_value_heads", headDim: "head_dim",
		vocab: "vocab_size", positions: "max_position_embeddings",
	})
}

// fields reads typed values and remembers the first error. A JSON null counts
// as not given, as in transformers.
type fields struct {
	values map[string]json.RawMessage
	prefix string // of the object within config.json, for errors
	err    error
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

func (f *fields) given(name string) bool {
	value, found := f.values[name]
	return found && string(value) != "null"
}

func (f *fields) wrong(name, want string) {
	f.fail("%s%s %.64s: want %s: %w", f.prefix, name, f.values[name], want, ErrInvalid)
}

// integer reads a value that must be given.
func (f *fields) integer(name string) int {
	if !f.given(name) {
		f.fail("%s%s is not given: %w", f.prefix, name, ErrInvalid)
		return 0
	}
	return f.integerOr(name, 0)
}

func (f *fields) integerOr(name string, fallback int) int {
	if !f.given(name) {
		return fallback
	}
	value, err := strconv.ParseInt(string(f.values[name]), 10, 32)
	if err != nil {
		f.wrong(name, "a whole number")
	}
	return int(value)
}

func (f *fields) numberOr(name string, fallback float64) float64 {
	if !f.given(name) {
		return fallback
	}
	var value float64
	if json.Unmarshal(f.values[name], &value) != nil {
		f.wrong(name, "a number")
	}
	return value
}

func (f *fields) booleanOr(name string, fallback bool) bool {
	if !f.given(name) {
		return fallback
	}
	var value bool
	if json.Unmarshal(f.values[name], &value) != nil {
		f.wrong(name, "true or false")
	}
	return value
}

func (f *fields) textOr(name, fallback string) string {
	if !f.given(name) {
		return fallback
	}
	var value string
	if json.Unmarshal(f.values[name], &value) != nil {
		f.wrong(name, "a text")
	}
	return value
}

// tokenID reads an id, or the first of a list of ids.
func (f *fields) tokenID(name string) int {
	if !f.given(name) {
		return -1
	}
	if f.values[name][0] != '[' {
		return f.integerOr(name, -1)
	}
	var ids []json.RawMessage
	if json.Unmarshal(f.values[name], &ids) == nil && len(ids) > 0 {
		if id, err := strconv.ParseInt(string(ids[0]), 10, 32); err == nil {
			return int(id)
		}
	}
	f.wrong(name, "an id or a list of ids")
	return -1
}

// refuseOthers fails for a model that is not a plain Llama.
func (f *fields) refuseOthers() {
	if kind := f.textOr("model_type", ""); kind != "llama" {
		f.fail("model_type %.64q: only \"llama\" is supported: %w", kind, ErrUnsupported)
	}
	if f.given("architectures") {
		var classes []string
		if json.Unmarshal(f.values["architectures"], &classes) != nil {
			f.wrong("architectures", "a list of texts")
		}
		if !slices.Contains(classes, "LlamaForCausalLM") && !slices.Contains(classes, "LlamaModel") {
			f.fail("architectures %.64s: only LlamaForCausalLM is supported: %w", f.values["architectures"], ErrUnsupported)
		}
	}
	if activation := f.textOr("hidden_act", "silu"); activation != "silu" {
		f.fail("hidden_act %.64q: only \"silu\" is supported: %w", activation, ErrUnsupported)
	}
	for _, name := range []string{"attention_bias", "mlp_bias"} {
		if f.booleanOr(name, false) {
			f.fail("%s true: biases are not supported: %w", name, ErrUnsupported)
		}
	}
	for _, name := range []string{"quantization_config", "compression_config"} {
		if f.given(name) {
			f.fail("%s is given: quantised checkpoints are not supported, use the original one: %w", name, ErrUnsupported)
		}
	}
	if f.numberOr("partial_rotary_factor", 1) != 1 {
		f.fail("partial_rotary_factor %.64s: only 1 is supported: %w", f.values["partial_rotary_factor"], ErrUnsupported)
	}
}

// rope reads RoPE's base in both spellings: rope_theta at the top with
// rope_scaling beside it, or both in rope_parameters (transformers 5).
func (f *fields) rope() float64 {
	const standard = 10000
	theta := f.numberOr("rope_theta", standard)
	for _, name := range []string{"rope_parameters", "rope_scaling"} {
		if !f.given(name) {
			continue
		}
		values, err := object(f.values[name], maxConfigKeys)
		if err != nil {
			f.fail("%s: %w", name, err)
			return theta
		}
		inner := &fields{values: values, prefix: name + "."}
		inner.refuseScaling()
		innerTheta := inner.numberOr("rope_theta", theta)
		if f.given("rope_theta") && innerTheta != theta {
			inner.fail("%s.rope_theta %g and rope_theta %g differ: %w", name, innerTheta, theta, ErrInvalid)
		}
		theta = innerTheta
		if inner.err != nil {
			f.fail("%w", inner.err)
		}
	}
	return theta
}

// refuseScaling fails where the RoPE settings stretch positions.
func (f *fields) refuseScaling() {
	kind := f.textOr("rope_type", f.textOr("type", ""))
	if plain := kind == "default" || kind == "" && !f.given("factor"); !plain {
		f.fail("%srope_type %.64q: RoPE scaling is not supported, use a checkpoint without it: %w", f.prefix, kind, ErrUnsupported)
	}
	if f.numberOr("partial_rotary_factor", 1) != 1 {
		f.fail("%spartial_rotary_factor %.64s: only 1 is supported: %w", f.prefix, f.values["partial_rotary_factor"], ErrUnsupported)
	}
}
