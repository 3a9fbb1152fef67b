package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// maxConfigKeys is far above the hundred or so keys of real configs.
const maxConfigKeys = 4096

// parseHFConfig reads the config.json of an architecture that familyOf knows.
// Where transformers' config class has a default, so has this. Fields without
// bearing on the arithmetic (torch_dtype, use_cache, …) are passed over; those
// that would change it in a way Zeroth does not do are errors that name them.
func parseHFConfig(text []byte) (Config, error) {
	values, err := object(text, maxConfigKeys)
	if err != nil {
		return Config{}, err
	}
	f := &fields{values: values}
	kind := f.textOr("model_type", "")
	if f.err != nil {
		return Config{}, f.err
	}
	form, known := familyOf(kind)
	if !known {
		return Config{}, fmt.Errorf("model_type %.64q: llama, qwen2, qwen3, gpt2, opt and roberta are supported: %w", kind, ErrUnsupported)
	}
	f.refuseOthers(form.classes)
	return form.parse(f)
}

// hfFieldNames are Llama's names of the sizes, which later models share.
func hfFieldNames(normEps string) fieldNames {
	return fieldNames{
		hidden: "hidden_size", intermediate: "intermediate_size", layers: "num_hidden_layers",
		heads: "num_attention_heads", kvHeads: "num_key_value_heads", headDim: "head_dim",
		vocab: "vocab_size", positions: "max_position_embeddings", normEps: normEps,
	}
}

// wholeHeads gives each head its part of the hidden size.
func (c *Config) wholeHeads(f *fields, hidden, heads string) {
	if c.Heads < 1 || c.HiddenSize%c.Heads != 0 {
		f.fail("%s %d is no multiple of %s %d: %w", hidden, c.HiddenSize, heads, c.Heads, ErrInvalid)
		return
	}
	c.KVHeads, c.HeadDim = c.Heads, c.HiddenSize/c.Heads
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

// object reads a value that is an object.
func (f *fields) object(name string) (*fields, bool) {
	values, err := object(f.values[name], maxConfigKeys)
	if err != nil {
		f.fail("%s%s: %w", f.prefix, name, err)
		return nil, false
	}
	return &fields{values: values, prefix: f.prefix + name + "."}, true
}

// wantText fails for a text other than the one that is supported.
func (f *fields) wantText(name, only string) {
	if value := f.textOr(name, only); value != only {
		f.fail("%s%s %.64q: only %q is supported: %w", f.prefix, name, value, only, ErrUnsupported)
	}
}

// wantBoolean fails, saying why, for the other value.
func (f *fields) wantBoolean(name string, only bool, why string) {
	if value := f.booleanOr(name, only); value != only {
		f.fail("%s%s %v: %s: %w", f.prefix, name, value, why, ErrUnsupported)
	}
}

// wantNumber fails for a number other than the one that is supported.
func (f *fields) wantNumber(name string, only float64) {
	if f.numberOr(name, only) != only {
		f.fail("%s%s %.64s: only %g is supported: %w", f.prefix, name, f.values[name], only, ErrUnsupported)
	}
}

// wantFullAttention fails where layer_types has any other kind of layer.
func (f *fields) wantFullAttention() {
	if !f.given("layer_types") {
		return
	}
	var kinds []string
	if json.Unmarshal(f.values["layer_types"], &kinds) != nil {
		f.wrong("layer_types", "a list of texts")
	}
	for i, kind := range kinds {
		if kind != "full_attention" {
			f.fail("layer_types: layer %d %.64q: only \"full_attention\" is supported: %w", i, kind, ErrUnsupported)
		}
	}
}

// activation reads the name of an activation.
func (f *fields) activation(name, fallback string) Activation {
	switch value := f.textOr(name, fallback); value {
	case "relu":
		return ReLU
	case "gelu":
		return GELU
	case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": // one formula, written in three ways
		return GELUTanh
	default:
		f.fail("%s%s %.64q: relu, gelu, gelu_new, gelu_pytorch_tanh and gelu_fast are supported: %w", f.prefix, name, value, ErrUnsupported)
		return ""
	}
}

// refuseOthers fails for another task's model and for quantised weights.
func (f *fields) refuseOthers(classes []string) {
	if f.given("architectures") {
		var named []string
		if json.Unmarshal(f.values["architectures"], &named) != nil {
			f.wrong("architectures", "a list of texts")
		}
		if !slices.ContainsFunc(named, func(class string) bool { return slices.Contains(classes, class) }) {
			f.fail("architectures %.64s: only %s is supported: %w", f.values["architectures"], classes[0], ErrUnsupported)
		}
	}
	for _, name := range []string{"quantization_config", "compression_config"} {
		if f.given(name) {
			f.fail("%s is given: quantised checkpoints are not supported, use the original one: %w", name, ErrUnsupported)
		}
	}
}
