package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/safetensors"
	"zeroth/internal/testdata"
)

// The smallest config.json of each architecture, and what it says.
const (
	qwen3Text = `{"model_type":"qwen3","hidden_size":6,"intermediate_size":5,"num_hidden_layers":2,"num_attention_heads":4,
		"num_key_value_heads":2,"head_dim":8,"vocab_size":9}`
	gpt2Text    = `{"model_type":"gpt2","n_embd":6,"n_layer":2,"n_head":3,"vocab_size":9}`
	optText     = `{"model_type":"opt","hidden_size":6,"ffn_dim":5,"num_hidden_layers":2,"num_attention_heads":2,"vocab_size":9}`
	robertaText = `{"model_type":"roberta","hidden_size":6,"intermediate_size":5,"num_hidden_layers":2,"num_attention_heads":2,"vocab_size":9}`
)

func qwen3Config() Config {
	return Config{
		Architecture: "qwen3", HiddenSize: 6, IntermediateSize: 5, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, VocabSize: 9,
		MaxPositions: 32768, NormEps: 1e-6, RopeTheta: 10000, HeadNorm: true, BOS: -1, EOS: -1,
	}
}

func gpt2Config() Config {
	return Config{
		Architecture: "gpt2", HiddenSize: 6, IntermediateSize: 24, Layers: 2, Heads: 3, KVHeads: 3, HeadDim: 2, VocabSize: 9,
		MaxPositions: 1024, NormEps: 1e-5, Activation: GELUTanh, Tied: true, BOS: -1, EOS: -1,
	}
}

func optConfig() Config {
	return Config{
		Architecture: "opt", HiddenSize: 6, IntermediateSize: 5, Layers: 2, Heads: 2, KVHeads: 2, HeadDim: 3, VocabSize: 9,
		MaxPositions: 2048, PositionOffset: 2, EmbeddingSize: 6, FinalNorm: true, NormEps: 1e-5, Activation: ReLU, Tied: true, BOS: -1, EOS: -1,
	}
}

func robertaConfig() Config {
	return Config{
		Architecture: "roberta", HiddenSize: 6, IntermediateSize: 5, Layers: 2, Heads: 2, KVHeads: 2, HeadDim: 3, VocabSize: 9,
		MaxPositions: 510, PositionOffset: 2, TokenTypes: 2, NormEps: 1e-12, Activation: GELU, Tied: true, BOS: -1, EOS: -1,
	}
}

// plus adds fields to a config text, in front, so that one of its own given
// again is an error.
func plus(text, fields string) string { return "{" + fields + "," + text[1:] }

func TestConfigsOfOtherArchitectures(t *testing.T) {
	changed := func(config Config, change func(*Config)) Config {
		change(&config)
		return config
	}
	for text, want := range map[string]Config{
		qwen3Text: qwen3Config(),
		strings.Replace(qwen3Text, `"head_dim":8,`, "", 1):             changed(qwen3Config(), func(c *Config) { c.HeadDim = 128 }),
		plus(qwen3Text, `"rope_theta":1000000,"bos_token_id":3`):       changed(qwen3Config(), func(c *Config) { c.RopeTheta, c.BOS = 1e6, 3 }),
		plus(qwen3Text, `"layer_types":["full_attention"]`):            qwen3Config(),
		plus(qwen3Text, `"sliding_window":4096,"max_window_layers":1`): qwen3Config(),
		strings.Replace(qwen3Text, "qwen3", "qwen2", 1): changed(qwen3Config(), func(c *Config) {
			c.Architecture, c.HeadNorm, c.QKVBias = "qwen2", false, true
		}),
		gpt2Text: gpt2Config(),
		plus(gpt2Text, `"n_inner":7,"n_positions":12,"layer_norm_epsilon":1e-3`): changed(gpt2Config(), func(c *Config) {
			c.IntermediateSize, c.MaxPositions, c.NormEps = 7, 12, 1e-3
		}),
		plus(gpt2Text, `"activation_function":"relu","tie_word_embeddings":false`): changed(gpt2Config(), func(c *Config) {
			c.Activation, c.Tied = ReLU, false
		}),
		plus(gpt2Text, `"n_inner":null,"scale_attn_weights":true,"architectures":["GPT2LMHeadModel"],"summary_type":"cls_index"`): gpt2Config(),
		optText: optConfig(),
		plus(optText, `"do_layer_norm_before":false,"word_embed_proj_dim":4,"max_position_embeddings":16`): changed(optConfig(), func(c *Config) {
			c.PostNorm, c.FinalNorm, c.EmbeddingSize, c.MaxPositions = true, false, 4, 16
		}),
		plus(optText, `"_remove_final_layer_norm":true,"eos_token_id":2`): changed(optConfig(), func(c *Config) { c.FinalNorm, c.EOS = false, 2 }),
		robertaText: robertaConfig(),
		plus(robertaText, `"pad_token_id":0,"max_position_embeddings":514,"type_vocab_size":1,"layer_norm_eps":1e-05`): changed(robertaConfig(), func(c *Config) {
			c.PositionOffset, c.MaxPositions, c.TokenTypes, c.NormEps = 1, 513, 1, 1e-5
		}),
		plus(robertaText, `"position_embedding_type":"absolute","hidden_act":"gelu_new"`): changed(robertaConfig(), func(c *Config) { c.Activation = GELUTanh }),
	} {
		if got, err := parseHFConfig([]byte(text)); err != nil || got != want {
			t.Errorf("%s\n%+v, %v\n%+v", text, got, err, want)
		}
	}
}

func TestMalformedConfigsOfOtherArchitectures(t *testing.T) {
	less := func(text, field string) string { // a field under another name is a field left out
		return strings.Replace(text, `"`+field+`"`, `"no_`+field+`"`, 1)
	}
	set := func(text, field, value string) string { return plus(less(text, field), `"`+field+`":`+value) }
	for _, test := range []struct {
		text string
		kind error
		want string
	}{
		{set(qwen3Text, "attention_bias", "true"), ErrUnsupported, "attention_bias"},
		{set(qwen3Text, "use_sliding_window", "true"), ErrUnsupported, "use_sliding_window"},
		{set(qwen3Text, "head_dim", "7"), ErrInvalid, "head_dim 7 is odd"},
		{set(qwen3Text, "num_key_value_heads", "3"), ErrInvalid, "no multiple of num_key_value_heads 3"},
		{set(qwen3Text, "architectures", `["Qwen3ForSequenceClassification"]`), ErrUnsupported, "only Qwen3ForCausalLM"},
		{less(gpt2Text, "n_embd"), ErrInvalid, "n_embd is not given"},
		{less(gpt2Text, "n_layer"), ErrInvalid, "n_layer is not given"},
		{less(gpt2Text, "n_head"), ErrInvalid, "n_head is not given"},
		{less(gpt2Text, "vocab_size"), ErrInvalid, "vocab_size is not given"},
		{set(gpt2Text, "n_head", "4"), ErrInvalid, "n_embd 6 is no multiple of n_head 4"},
		{set(gpt2Text, "n_head", "0"), ErrInvalid, "n_head 0"},
		{set(gpt2Text, "n_head", "-3"), ErrInvalid, "n_head -3"},
		{set(gpt2Text, "n_embd", "0"), ErrInvalid, "n_embd 0"},
		{set(gpt2Text, "n_embd", "2147483647"), ErrInvalid, "n_embd 2147483647"},
		{set(gpt2Text, "n_inner", "0"), ErrInvalid, "n_inner 0"},
		{set(gpt2Text, "n_positions", "0"), ErrInvalid, "n_positions 0"},
		{set(gpt2Text, "n_layer", "5000"), ErrInvalid, "n_layer 5000"},
		{set(gpt2Text, "layer_norm_epsilon", "0"), ErrInvalid, "layer_norm_epsilon 0"},
		{set(gpt2Text, "activation_function", `"swish"`), ErrUnsupported, `activation_function "swish"`},
		{set(gpt2Text, "activation_function", "3"), ErrInvalid, "activation_function 3"},
		{set(gpt2Text, "scale_attn_weights", "false"), ErrUnsupported, "scale_attn_weights"},
		{set(gpt2Text, "scale_attn_by_inverse_layer_idx", "true"), ErrUnsupported, "scale_attn_by_inverse_layer_idx"},
		{set(gpt2Text, "add_cross_attention", "true"), ErrUnsupported, "add_cross_attention"},
		{set(gpt2Text, "bos_token_id", "9"), ErrInvalid, "bos_token_id 9"},
		{set(gpt2Text, "architectures", `["GPT2ForSequenceClassification"]`), ErrUnsupported, "only GPT2LMHeadModel"},
		{set(gpt2Text, "quantization_config", `{"bits":8}`), ErrUnsupported, "quantization_config"},
		{set(optText, "ffn_dim", "0"), ErrInvalid, "ffn_dim 0"},
		{less(optText, "ffn_dim"), ErrInvalid, "ffn_dim is not given"},
		{set(optText, "num_attention_heads", "5"), ErrInvalid, "no multiple of num_attention_heads 5"},
		{set(optText, "word_embed_proj_dim", "0"), ErrInvalid, "word_embed_proj_dim 0"},
		{set(optText, "word_embed_proj_dim", "-4"), ErrInvalid, "word_embed_proj_dim -4"},
		{set(optText, "word_embed_proj_dim", "9999999"), ErrInvalid, "word_embed_proj_dim 9999999"},
		{set(optText, "do_layer_norm_before", `"no"`), ErrInvalid, "do_layer_norm_before"},
		{set(optText, "enable_bias", "false"), ErrUnsupported, "enable_bias"},
		{set(optText, "layer_norm_elementwise_affine", "false"), ErrUnsupported, "layer_norm_elementwise_affine"},
		{set(optText, "max_position_embeddings", "-1"), ErrInvalid, "max_position_embeddings -1"},
		{set(optText, "activation_function", `"silu"`), ErrUnsupported, "activation_function"},
		{set(optText, "architectures", `["OPTForQuestionAnswering"]`), ErrUnsupported, "only OPTForCausalLM"},
		{set(robertaText, "max_position_embeddings", "2"), ErrInvalid, "max_position_embeddings 2 with pad_token_id 1"},
		{set(robertaText, "max_position_embeddings", "-5"), ErrInvalid, "max_position_embeddings -5"},
		{set(robertaText, "pad_token_id", "-3"), ErrInvalid, "pad_token_id -3"},
		{set(robertaText, "pad_token_id", "2147483647"), ErrInvalid, "pad_token_id 2147483647"},
		{set(robertaText, "type_vocab_size", "0"), ErrInvalid, "type_vocab_size 0"},
		{set(robertaText, "layer_norm_eps", "2"), ErrInvalid, "layer_norm_eps 2"},
		{set(robertaText, "position_embedding_type", `"relative_key"`), ErrUnsupported, `position_embedding_type "relative_key"`},
		{set(robertaText, "is_decoder", "true"), ErrUnsupported, "is_decoder"},
		{set(robertaText, "add_cross_attention", "true"), ErrUnsupported, "add_cross_attention"},
		{set(robertaText, "hidden_act", `"tanh"`), ErrUnsupported, `hidden_act "tanh"`},
		{set(robertaText, "hidden_size", "7"), ErrInvalid, "hidden_size 7 is no multiple"},
		{set(robertaText, "architectures", `["RobertaForSequenceClassification"]`), ErrUnsupported, "only RobertaForMaskedLM"},
	} {
		_, err := parseHFConfig([]byte(test.text))
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.text, err, test.want)
		}
	}
}

// storedEntries turns weights into tensors as the architecture's folders have them.
func storedEntries(config Config, weights map[string][]float32, rename func(string) string) []safetensors.Entry {
	form, _ := familyOf(config.Architecture)
	var entries []safetensors.Entry
	for weight := range config.Weights() {
		entry := safetensors.Entry{Name: rename(weight.Name), Shape: weight.Shape, Data: weights[weight.Name]}
		if form.isTransposed(weight.Name) {
			out, in := weight.Shape[0], weight.Shape[1]
			entry.Shape, entry.Data = []int{in, out}, make([]float32, in*out)
			for i, v := range weights[weight.Name] {
				entry.Data[i%in*out+i/in] = v
			}
		}
		entries = append(entries, entry)
	}
	return entries
}

// short gives names without the stem's first words.
func short(words string) func(string) string {
	return func(name string) string { return strings.TrimPrefix(name, words) }
}

func TestFoldersOfOtherArchitectures(t *testing.T) {
	untiedGPT2, opt350m := gpt2Config(), optConfig()
	untiedGPT2.Tied = false
	opt350m.PostNorm, opt350m.FinalNorm, opt350m.EmbeddingSize = true, false, 4
	for i, test := range []struct {
		text   string
		config Config
		rename func(string) string
		extra  []string // tensors to pass over
	}{
		{qwen3Text, qwen3Config(), short(""), nil},
		{qwen3Text, qwen3Config(), short("model."), []string{"layers.0.self_attn.rotary_emb.inv_freq"}},
		{gpt2Text, gpt2Config(), short(""), []string{"lm_head.weight"}},
		{gpt2Text, gpt2Config(), short("transformer."), []string{"h.0.attn.bias", "h.1.attn.masked_bias"}},
		{plus(gpt2Text, `"tie_word_embeddings":false`), untiedGPT2, short("transformer."), nil},
		{optText, optConfig(), short(""), []string{"lm_head.weight"}},
		{optText, optConfig(), short("model."), nil},
		{optText, optConfig(), short("model.decoder."), nil},
		{plus(optText, `"do_layer_norm_before":false,"word_embed_proj_dim":4`), opt350m, short("model."), nil},
		{robertaText, robertaConfig(), short(""), []string{"lm_head.decoder.weight", "lm_head.decoder.bias", "roberta.embeddings.position_ids", "roberta.pooler.dense.weight"}},
		{robertaText, robertaConfig(), short("roberta."), []string{"pooler.dense.bias"}},
		{robertaText, robertaConfig(), func(name string) string {
			return strings.Replace(name, "lm_head.bias", "lm_head.decoder.bias", 1)
		}, nil},
	} {
		t.Run(fmt.Sprint(i, test.config.Architecture), func(t *testing.T) {
			weights := randomWeights(test.config, 0)
			entries := storedEntries(test.config, weights, test.rename)
			for _, name := range test.extra {
				entries = append(entries, safetensors.Entry{Name: name, Shape: []int{1}, Data: []float32{7}})
			}
			checkpoint := mustOpen(t, newFolder(t, test.text, entries))
			if checkpoint.Config() != test.config {
				t.Errorf("%+v\n%+v", checkpoint.Config(), test.config)
			}
			checkWeights(t, checkpoint, weights)
		})
	}
}

// A matrix that is not transposed although it should be is another shape; one
// weight more is another model.
func TestFoldersOfOtherArchitecturesDoNotFit(t *testing.T) {
	config := gpt2Config()
	var upright []safetensors.Entry
	for weight := range config.Weights() {
		upright = append(upright, safetensors.Entry{Name: weight.Name, Shape: weight.Shape, Data: make([]float32, elements(weight.Shape))})
	}
	more := func(config Config, name string) []safetensors.Entry {
		return append(storedEntries(config, randomWeights(config, 0), short("")), safetensors.Entry{Name: name, Shape: []int{1}, Data: []float32{1}})
	}
	for _, test := range []struct {
		text    string
		entries []safetensors.Entry
		want    string
	}{
		{gpt2Text, upright, "found shape [6 18], want [18 6]"},
		{gpt2Text, more(config, "transformer.h.0.attn.c_attn.scale"), "no such weight"},
		{gpt2Text, more(config, "transformer.h.2.ln_1.weight"), "no such weight"},
		{gpt2Text, more(config, "h.0.ln_1.weight"), "the same weight"},
		{optText, more(optConfig(), "model.decoder.project_in.weight"), "no such weight"},
		{plus(optText, `"do_layer_norm_before":false`), more(optConfig(), "x"), "final_layer_norm"},
		{optText, storedEntries(optConfig(), randomWeights(optConfig(), 0), short(""))[1:], "missing"},
		{robertaText, more(robertaConfig(), "classifier.dense.weight"), "no such weight"},
		{strings.Replace(qwen3Text, "qwen3", "qwen2", 1), more(qwen3Config(), "x"), "k_norm"},
	} {
		_, err := Open(newFolder(t, test.text, test.entries))
		if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}

func TestOpensRealFoldersOfOtherArchitectures(t *testing.T) {
	for name, want := range map[string]struct {
		architecture string
		parameters   int
	}{
		"llama3": {"llama", 224_736}, "qwen2": {"qwen2", 98_816}, "qwen3": {"qwen3", 127_424},
		"gpt2": {"gpt2", 177_472}, "opt": {"opt", 177_600}, "roberta": {"roberta", 182_252},
	} {
		checkpoint := mustOpen(t, testdata.Shared(t, "models/tiny-random-"+name))
		total := 0
		for _, weight := range checkpoint.Names() {
			total += len(readWeight(t, checkpoint, weight))
		}
		if checkpoint.Config().Architecture != want.architecture || total != want.parameters {
			t.Errorf("%s: %s of %d parameters, want %s of %d", name, checkpoint.Config().Architecture, total, want.architecture, want.parameters)
		}
	}
	checkpoint := mustOpen(t, testdata.Shared(t, "models/tiny-random-gpt2"))
	info, err := checkpoint.Tensor("transformer.h.0.attn.c_attn.weight")
	if err != nil || !slices.Equal(info.Shape, []int{192, 64}) {
		t.Errorf("%+v, %v", info, err)
	}
	if err := checkpoint.ReadF32("transformer.h.0.attn.c_attn.weight", make([]float32, 5)); !errors.Is(err, ErrArgument) {
		t.Error(err)
	}
}
