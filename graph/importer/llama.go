package importer

import (
	"slices"
	"strings"
)

// Names of a Llama's weights: outside the layers, and, after llamaLayers and
// the layer's number, within.
const (
	embedName   = "model.embed_tokens.weight"
	normName    = "model.norm.weight"
	llamaLayers = "model.layers."

	inputNormName = "input_layernorm.weight"
	queryName     = "self_attn.q_proj.weight"
	keyName       = "self_attn.k_proj.weight"
	valueName     = "self_attn.v_proj.weight"
	outputName    = "self_attn.o_proj.weight"
	postNormName  = "post_attention_layernorm.weight"
	gateName      = "mlp.gate_proj.weight"
	upName        = "mlp.up_proj.weight"
	downName      = "mlp.down_proj.weight"
)

// llamaFamily is Llama with its near relations: Qwen2 has biases at q, k and v,
// Qwen3 an RMSNorm of each head of q and k.
func llamaFamily(architecture string) family {
	class := map[string]string{"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}[architecture]
	return family{
		classes: []string{class + "ForCausalLM", class + "Model"},
		stem:    "model.", layers: llamaLayers,
		parse:  func(f *fields) (Config, error) { return parseLlama(f, architecture) },
		layout: llamaLayout,
		unneeded: func(c Config, name string) bool {
			// Old checkpoints store RoPE's frequencies, which follow from
			// rope_theta. A tied head is the embedding, whatever is stored.
			return strings.HasSuffix(name, ".rotary_emb.inv_freq") || tiedHead(c, name)
		},
	}
}

func llamaLayout(c Config) layout {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	l := layout{
		first: []Weight{{embedName, []int{c.VocabSize, c.HiddenSize}}},
		layer: []Weight{
			{inputNormName, []int{c.HiddenSize}},
			{queryName, []int{q, c.HiddenSize}},
			{keyName, []int{kv, c.HiddenSize}},
			{valueName, []int{kv, c.HiddenSize}},
			{outputName, []int{c.HiddenSize, q}},
			{postNormName, []int{c.HiddenSize}},
			{gateName, []int{c.IntermediateSize, c.HiddenSize}},
			{upName, []int{c.IntermediateSize, c.HiddenSize}},
			{downName, []int{c.HiddenSize, c.IntermediateSize}},
		},
		last: []Weight{{normName, []int{c.HiddenSize}}},
	}
	if c.QKVBias {
		l.layer = append(l.layer, Weight{"self_attn.q_proj.bias", []int{q}},
			Weight{"self_attn.k_proj.bias", []int{kv}}, Weight{"self_attn.v_proj.bias", []int{kv}})
	}
	if c.HeadNorm {
		l.layer = append(l.layer, Weight{"self_attn.q_norm.weight", []int{c.HeadDim}},
			Weight{"self_attn.k_norm.weight", []int{c.HeadDim}})
	}
	if !c.Tied {
		l.last = append(l.last, Weight{headName, []int{c.VocabSize, c.HiddenSize}})
	}
	return l
}

// parseLlama reads the config.json of a LlamaForCausalLM, Qwen2ForCausalLM or
// Qwen3ForCausalLM.
func parseLlama(f *fields, architecture string) (Config, error) {
	f.wantText("hidden_act", "silu")
	for _, name := range []string{"attention_bias", "mlp_bias"} {
		f.wantBoolean(name, false, "biases are not supported")
	}
	f.wantBoolean("use_sliding_window", false, "sliding windows are not supported")
	f.wantFullAttention()
	f.wantNumber("partial_rotary_factor", 1)
	positions, headDim := 2048, 0
	switch architecture {
	case "qwen2":
		positions = 32768
	case "qwen3":
		positions, headDim = 32768, 128
	}
	config := Config{
		Architecture:     architecture,
		HiddenSize:       f.integer("hidden_size"),
		IntermediateSize: f.integer("intermediate_size"),
		Layers:           f.integer("num_hidden_layers"),
		Heads:            f.integer("num_attention_heads"),
		VocabSize:        f.integer("vocab_size"),
		MaxPositions:     f.integerOr("max_position_embeddings", positions),
		NormEps:          f.numberOr("rms_norm_eps", 1e-6),
		Tied:             f.booleanOr("tie_word_embeddings", false),
		BOS:              f.tokenID("bos_token_id"),
		EOS:              f.tokenID("eos_token_id"),
		QKVBias:          architecture == "qwen2",
		HeadNorm:         architecture == "qwen3",
	}
	config.RopeTheta, config.Rope = f.rope()
	config.KVHeads = f.integerOr("num_key_value_heads", config.Heads)
	switch {
	case f.given("head_dim"):
		config.HeadDim = f.integer("head_dim")
	case headDim > 0:
		config.HeadDim = headDim
	case config.Heads > 0 && config.HiddenSize%config.Heads == 0:
		config.HeadDim = config.HiddenSize / config.Heads
	default:
		f.fail("hidden_size %d is no multiple of num_attention_heads %d, and head_dim is not given: %w", config.HiddenSize, config.Heads, ErrInvalid)
	}
	if f.err != nil {
		return Config{}, f.err
	}
	if err := config.check(hfFieldNames("rms_norm_eps")); err != nil {
		return Config{}, err
	}
	return config, config.checkRotary("head_dim")
}

// shape returns the shape of a Llama's weight outside the layers, or of one
// within named by what follows the layer's number; nil for any other name.
func (c Config) shape(name string) []int {
	l := llamaLayout(c)
	for _, weight := range slices.Concat(l.first, l.layer, l.last) {
		if weight.Name == name {
			return weight.Shape
		}
	}
	return nil
}
