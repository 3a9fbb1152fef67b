package importer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// with returns config.json of small(true) with fields replaced or added. A
// field within an object must have a space before its colon to be no field.
func with(fields string) string {
	var kept []string
	for _, line := range strings.Split(strings.Trim(configText(true), "{}"), ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		if !strings.Contains(fields, name+":") {
			kept = append(kept, line)
		}
	}
	return "{" + strings.Join(append(kept, fields), ",") + "}"
}

// without returns config.json of small(true) less one field.
func without(name string) string {
	return strings.Replace(with(`"`+name+`":0`), `,"`+name+`":0`, "", 1)
}

func TestHFConfig(t *testing.T) {
	same := small(true)
	same.Interleaved = false
	changed := func(change func(*Config)) Config {
		config := same
		change(&config)
		return config
	}
	for text, want := range map[string]Config{
		configText(true):                       same,
		without("num_key_value_heads"):         changed(func(c *Config) { c.KVHeads = 2 }),
		with(`"head_dim":10`):                  changed(func(c *Config) { c.HeadDim = 10 }),
		with(`"head_dim":null`):                same,
		with(`"hidden_size":49,"head_dim":10`): changed(func(c *Config) { c.HiddenSize, c.HeadDim = 49, 10 }),
		without("rms_norm_eps"):                changed(func(c *Config) { c.NormEps = 1e-6 }),
		without("max_position_embeddings"):     changed(func(c *Config) { c.MaxPositions = 2048 }),
		without("tie_word_embeddings"):         changed(func(c *Config) { c.Tied = false }),
		without("hidden_act"):                  same,
		without("architectures"):               same,
		without("rope_theta"):                  same,
		with(`"rope_theta":500000`):            changed(func(c *Config) { c.RopeTheta = 500000 }),
		with(`"rope_theta":null,"rope_parameters":{"rope_theta":500000.0,"rope_type":"default"}`): changed(func(c *Config) { c.RopeTheta = 500000 }),
		with(`"rope_parameters":{"rope_theta" :10000,"partial_rotary_factor":1.0}`):               same,
		with(`"rope_scaling":null`):                                same,
		with(`"rope_scaling":{}`):                                  same,
		with(`"rope_scaling":{"type":"default","factor":1.0}`):     same,
		with(`"attention_bias":false,"mlp_bias":null`):             same,
		with(`"quantization_config":null,"torch_dtype":"float16"`): same,
		with(`"dtype":"bfloat16","use_cache":{"odd":[1]}`):         same,
		with(`"eos_token_id":[7,3]`):                               changed(func(c *Config) { c.EOS = 7 }),
		with(`"eos_token_id":null`):                                changed(func(c *Config) { c.EOS = -1 }),
		without("bos_token_id"):                                    changed(func(c *Config) { c.BOS = -1 }),
	} {
		if got, err := parseHFConfig([]byte(text)); err != nil || got != want {
			t.Errorf("%s\n%+v, %v\n%+v", text, got, err, want)
		}
	}
}

// llama3 is rope_scaling of Llama 3.1 with one value replaced.
func llama3(field string, value float64) string {
	text := `"rope_scaling":{"rope_type":"llama3"`
	for _, name := range []string{"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"} {
		v := map[string]float64{"factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 64}[name]
		if name == field {
			v = value
		}
		text += fmt.Sprintf(`,"%s":%g`, name, v)
	}
	return text + "}"
}

func TestRopeScaling(t *testing.T) {
	three := RopeScaling{Kind: RopeLlama3, Factor: 8, LowFactor: 1, HighFactor: 4, OriginalPositions: 64}
	two := RopeScaling{Kind: RopeLinear, Factor: 2}
	for text, want := range map[string]RopeScaling{
		with(llama3("", 0)): three,
		with(strings.Replace(llama3("", 0), "rope_scaling", "rope_parameters", 1)):                       three,
		with(llama3("", 0) + "," + strings.Replace(llama3("", 0), "rope_scaling", "rope_parameters", 1)): three,
		with(`"rope_scaling":{"type":"linear","factor":2.0}`):                                            two,
		with(`"rope_scaling":{"rope_type":"linear","factor":2}`):                                         two,
		with(`"rope_parameters":{"rope_type":"linear","factor":2,"rope_theta" :10000}`):                  two,
	} {
		got, err := parseHFConfig([]byte(text))
		if err != nil || got.Rope != want || got.RopeTheta != 10000 || !got.Rotary() {
			t.Errorf("%s\n%+v, %v", text, got, err)
		}
	}
}

func TestMalformedHFConfig(t *testing.T) {
	many := make([]string, maxConfigKeys)
	for i := range many {
		many[i] = fmt.Sprintf(`"%d":0`, i)
	}
	for _, test := range []struct {
		text string
		kind error
		want string
	}{
		{``, ErrInvalid, "JSON object"},
		{`"text"`, ErrInvalid, "JSON object"},
		{`[`, ErrInvalid, "JSON object"},
		{`{`, ErrInvalid, "without an end"},
		{`{"a"`, ErrInvalid, `"a"`},
		{`{"a":`, ErrInvalid, `"a"`},
		{`{"a":1,}`, ErrInvalid, "JSON"},
		{`{"a":1 "b":2}`, ErrInvalid, "JSON"},
		{"{\"a\":\"\xff\"}", ErrInvalid, "UTF-8"},
		{configText(true) + "{}", ErrInvalid, "more text"},
		{`{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, ErrInvalid, "depth"},
		{with(strings.Join(many, ",")), ErrInvalid, "more than 4096 keys"},
		{`{"hidden_size":1,"hidden_size":2}`, ErrInvalid, `"hidden_size" is given twice`},
		{`{"hidden_size":1,"hidden\u005fsize":2}`, ErrInvalid, `"hidden_size" is given twice`},
		{`{}`, ErrUnsupported, "model_type"},
		{with(`"model_type":"mistral"`), ErrUnsupported, `model_type "mistral"`},
		{with(`"model_type":"qwen2"`), ErrUnsupported, "only Qwen2ForCausalLM"},
		{with(`"model_type":7`), ErrInvalid, "model_type 7"},
		{with(`"architectures":["LlamaForSequenceClassification"]`), ErrUnsupported, "architectures"},
		{with(`"architectures":"LlamaForCausalLM"`), ErrInvalid, "architectures"},
		{with(`"hidden_act":"gelu"`), ErrUnsupported, `hidden_act "gelu"`},
		{with(`"attention_bias":true`), ErrUnsupported, "attention_bias"},
		{with(`"attention_bias":1`), ErrInvalid, "attention_bias 1"},
		{with(`"mlp_bias":true`), ErrUnsupported, "mlp_bias"},
		{with(`"quantization_config":{"quant_method":"gptq"}`), ErrUnsupported, "quantization_config"},
		{with(`"rope_scaling":{"type":"linear"}`), ErrInvalid, "rope_scaling.factor is not given"},
		{with(`"rope_scaling":{"type":"linear","factor":0}`), ErrInvalid, "rope_scaling.factor 0"},
		{with(`"rope_scaling":{"type":"linear","factor":-2}`), ErrInvalid, "rope_scaling.factor -2"},
		{with(`"rope_scaling":{"type":"linear","factor":"2"}`), ErrInvalid, "rope_scaling.factor"},
		{with(`"rope_scaling":{"type":"dynamic","factor":2}`), ErrUnsupported, `rope_scaling.rope_type "dynamic"`},
		{with(`"rope_scaling":{"rope_type":"yarn"}`), ErrUnsupported, `"yarn"`},
		{with(`"rope_scaling":{"factor":2.0}`), ErrUnsupported, "rope_scaling.rope_type"},
		{with(`"rope_scaling":"linear"`), ErrInvalid, "rope_scaling"},
		{with(`"rope_scaling":{"type":1}`), ErrInvalid, "rope_scaling.type 1"},
		{with(`"rope_parameters":{"rope_type":"longrope"}`), ErrUnsupported, `rope_parameters.rope_type "longrope"`},
		{with(`"rope_parameters":{"rope_type":"llama3"}`), ErrInvalid, "rope_parameters.factor is not given"},
		{with(llama3("low_freq_factor", 4)), ErrInvalid, "high_freq_factor 4: want more than low_freq_factor 4"},
		{with(llama3("high_freq_factor", -1)), ErrInvalid, "rope_scaling.high_freq_factor -1"},
		{with(llama3("original_max_position_embeddings", 0)), ErrInvalid, "rope_scaling.original_max_position_embeddings 0"},
		{with(llama3("original_max_position_embeddings", 0.5)), ErrInvalid, "rope_scaling.original_max_position_embeddings 0.5"},
		{with(`"rope_parameters":{"type":"linear","factor":2},"rope_scaling":{"type":"linear","factor":4}`), ErrInvalid, "rope_parameters and rope_scaling differ"},
		{with(`"use_sliding_window":true`), ErrUnsupported, "use_sliding_window"},
		{with(`"layer_types":["full_attention","sliding_attention"]`), ErrUnsupported, "layer_types: layer 1"},
		{with(`"layer_types":"full_attention"`), ErrInvalid, "layer_types"},
		{with(`"rope_parameters":{"rope_theta" :20000}`), ErrInvalid, "differ"},
		{with(`"rope_parameters":{"partial_rotary_factor":0.5}`), ErrUnsupported, "rope_parameters.partial_rotary_factor"},
		{with(`"partial_rotary_factor":0.5`), ErrUnsupported, "partial_rotary_factor"},
		{without("hidden_size"), ErrInvalid, "hidden_size is not given"},
		{without("intermediate_size"), ErrInvalid, "intermediate_size is not given"},
		{without("num_hidden_layers"), ErrInvalid, "num_hidden_layers is not given"},
		{without("num_attention_heads"), ErrInvalid, "num_attention_heads is not given"},
		{without("vocab_size"), ErrInvalid, "vocab_size is not given"},
		{with(`"hidden_size":0`), ErrInvalid, "hidden_size 0"},
		{with(`"hidden_size":-48`), ErrInvalid, "hidden_size -48"},
		{with(`"hidden_size":"48"`), ErrInvalid, "hidden_size"},
		{with(`"hidden_size":48.5`), ErrInvalid, "hidden_size 48.5"},
		{with(`"hidden_size":1e3`), ErrInvalid, "hidden_size 1e3"},
		{with(`"hidden_size":99999999999999999999`), ErrInvalid, "hidden_size 9999"},
		{with(`"hidden_size":2097152`), ErrInvalid, "hidden_size 2097152"},
		{with(`"hidden_size":49`), ErrInvalid, "head_dim is not given"},
		{with(`"num_attention_heads":0`), ErrInvalid, "num_attention_heads 0"},
		{with(`"num_key_value_heads":3`), ErrInvalid, "no multiple of num_key_value_heads 3"},
		{with(`"num_key_value_heads":0`), ErrInvalid, "num_key_value_heads 0"},
		{with(`"head_dim":0`), ErrInvalid, "head_dim 0"},
		{with(`"head_dim":-2`), ErrInvalid, "head_dim -2"},
		{with(`"head_dim":7`), ErrInvalid, "head_dim 7 is odd"},
		{with(`"num_hidden_layers":100000`), ErrInvalid, "num_hidden_layers 100000"},
		{with(`"vocab_size":99999999`), ErrInvalid, "vocab_size 99999999"},
		{with(`"max_position_embeddings":0`), ErrInvalid, "max_position_embeddings 0"},
		{with(`"rms_norm_eps":0`), ErrInvalid, "rms_norm_eps 0"},
		{with(`"rms_norm_eps":-1e-5`), ErrInvalid, "rms_norm_eps -1e-05"},
		{with(`"rms_norm_eps":1e999`), ErrInvalid, "rms_norm_eps 1e999"},
		{with(`"rope_theta":0`), ErrInvalid, "rope_theta 0"},
		{with(`"rope_theta":"10000"`), ErrInvalid, "rope_theta"},
		{with(`"tie_word_embeddings":"yes"`), ErrInvalid, "tie_word_embeddings"},
		{with(`"bos_token_id":40`), ErrInvalid, "bos_token_id 40"},
		{with(`"eos_token_id":[]`), ErrInvalid, "eos_token_id []"},
		{with(`"eos_token_id":["</s>"]`), ErrInvalid, "eos_token_id"},
		{with(`"eos_token_id":[null]`), ErrInvalid, "eos_token_id [null]"},
		{with(`"eos_token_id":[-7]`), ErrInvalid, "eos_token_id -7"},
	} {
		_, err := parseHFConfig([]byte(test.text))
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.300s: %v, want %q", test.text, err, test.want)
		}
	}
}
