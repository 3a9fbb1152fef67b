package importer

import (
	"slices"
	"strings"
)

// gpt2Family is GPT-2. Its linear layers are Conv1D, which stores its matrix as
// [inputs, outputs]; c_attn gives queries, keys and values in one.
func gpt2Family() family {
	return family{
		classes: []string{"GPT2LMHeadModel", "GPT2Model"},
		stem:    "transformer.", layers: "transformer.h.",
		parse:      parseGPT2,
		layout:     gpt2Layout,
		transposed: []string{"attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight"},
		unneeded: func(c Config, name string) bool {
			// Old checkpoints store the causal mask.
			return strings.HasSuffix(name, ".attn.bias") || strings.HasSuffix(name, ".attn.masked_bias") || tiedHead(c, name)
		},
	}
}

func gpt2Layout(c Config) layout {
	l := layout{
		first: []Weight{
			{"transformer.wte.weight", []int{c.VocabSize, c.HiddenSize}},
			{"transformer.wpe.weight", []int{c.MaxPositions, c.HiddenSize}},
		},
		layer: slices.Concat(
			normWeights("ln_1", c.HiddenSize),
			linearWeights("attn.c_attn", 3*c.HiddenSize, c.HiddenSize),
			linearWeights("attn.c_proj", c.HiddenSize, c.HiddenSize),
			normWeights("ln_2", c.HiddenSize),
			linearWeights("mlp.c_fc", c.IntermediateSize, c.HiddenSize),
			linearWeights("mlp.c_proj", c.HiddenSize, c.IntermediateSize),
		),
		last: normWeights("transformer.ln_f", c.HiddenSize),
	}
	if !c.Tied {
		l.last = append(l.last, Weight{headName, []int{c.VocabSize, c.HiddenSize}})
	}
	return l
}

// parseGPT2 reads the config.json of a GPT2LMHeadModel.
func parseGPT2(f *fields) (Config, error) {
	f.wantBoolean("scale_attn_weights", true, "unscaled attention is not supported")
	f.wantBoolean("scale_attn_by_inverse_layer_idx", false, "scaling by layer is not supported")
	f.wantBoolean("add_cross_attention", false, "cross-attention is not supported")
	config := Config{
		Architecture: "gpt2",
		HiddenSize:   f.integer("n_embd"),
		Layers:       f.integer("n_layer"),
		Heads:        f.integer("n_head"),
		VocabSize:    f.integer("vocab_size"),
		MaxPositions: f.integerOr("n_positions", 1024),
		NormEps:      f.numberOr("layer_norm_epsilon", 1e-5),
		Activation:   f.activation("activation_function", "gelu_new"),
		Tied:         f.booleanOr("tie_word_embeddings", true),
		BOS:          f.tokenID("bos_token_id"),
		EOS:          f.tokenID("eos_token_id"),
	}
	config.IntermediateSize = f.integerOr("n_inner", 4*config.HiddenSize)
	config.wholeHeads(f, "n_embd", "n_head")
	if f.err != nil {
		return Config{}, f.err
	}
	return config, config.check(fieldNames{
		hidden: "n_embd", intermediate: "n_inner", layers: "n_layer", heads: "n_head", kvHeads: "n_head",
		headDim: "n_embd / n_head", vocab: "vocab_size", positions: "n_positions", normEps: "layer_norm_epsilon",
	})
}
