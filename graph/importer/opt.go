package importer

import "slices"

// optFamily is OPT, with its 350m variant: norms behind the blocks, and token
// embeddings shorter than the hidden size.
func optFamily() family {
	return family{
		classes: []string{"OPTForCausalLM", "OPTModel"},
		stem:    "model.decoder.", layers: "model.decoder.layers.",
		parse:    parseOPT,
		layout:   optLayout,
		unneeded: tiedHead,
	}
}

// optPositionOffset is how many rows OPT's table of positions has in front.
const optPositionOffset = 2

func optLayout(c Config) layout {
	l := layout{
		first: []Weight{
			{"model.decoder.embed_tokens.weight", []int{c.VocabSize, c.EmbeddingSize}},
			{"model.decoder.embed_positions.weight", []int{c.MaxPositions + c.PositionOffset, c.HiddenSize}},
		},
		layer: slices.Concat(
			linearWeights("self_attn.q_proj", c.HiddenSize, c.HiddenSize),
			linearWeights("self_attn.k_proj", c.HiddenSize, c.HiddenSize),
			linearWeights("self_attn.v_proj", c.HiddenSize, c.HiddenSize),
			linearWeights("self_attn.out_proj", c.HiddenSize, c.HiddenSize),
			normWeights("self_attn_layer_norm", c.HiddenSize),
			linearWeights("fc1", c.IntermediateSize, c.HiddenSize),
			linearWeights("fc2", c.HiddenSize, c.IntermediateSize),
			normWeights("final_layer_norm", c.HiddenSize),
		),
	}
	if c.EmbeddingSize != c.HiddenSize {
		l.first = append(l.first, Weight{"model.decoder.project_in.weight", []int{c.HiddenSize, c.EmbeddingSize}})
		l.last = append(l.last, Weight{"model.decoder.project_out.weight", []int{c.EmbeddingSize, c.HiddenSize}})
	}
	if c.FinalNorm {
		l.last = append(l.last, normWeights("model.decoder.final_layer_norm", c.HiddenSize)...)
	}
	if !c.Tied {
		l.last = append(l.last, Weight{headName, []int{c.VocabSize, c.EmbeddingSize}})
	}
	return l
}

// parseOPT reads the config.json of an OPTForCausalLM.
func parseOPT(f *fields) (Config, error) {
	f.wantBoolean("enable_bias", true, "OPT without biases is not supported")
	f.wantBoolean("layer_norm_elementwise_affine", true, "norms without weights are not supported")
	config := Config{
		Architecture:     "opt",
		HiddenSize:       f.integer("hidden_size"),
		IntermediateSize: f.integer("ffn_dim"),
		Layers:           f.integer("num_hidden_layers"),
		Heads:            f.integer("num_attention_heads"),
		VocabSize:        f.integer("vocab_size"),
		MaxPositions:     f.integerOr("max_position_embeddings", 2048),
		PositionOffset:   optPositionOffset,
		NormEps:          1e-5, // PyTorch's, which OPT does not change
		Activation:       f.activation("activation_function", "relu"),
		PostNorm:         !f.booleanOr("do_layer_norm_before", true),
		Tied:             f.booleanOr("tie_word_embeddings", true),
		BOS:              f.tokenID("bos_token_id"),
		EOS:              f.tokenID("eos_token_id"),
	}
	config.FinalNorm = !config.PostNorm && !f.booleanOr("_remove_final_layer_norm", false)
	config.EmbeddingSize = f.integerOr("word_embed_proj_dim", config.HiddenSize)
	if config.EmbeddingSize < 1 || config.EmbeddingSize > 1<<20 {
		f.fail("word_embed_proj_dim %d: want 1 to %d: %w", config.EmbeddingSize, 1<<20, ErrInvalid)
	}
	config.wholeHeads(f, "hidden_size", "num_attention_heads")
	if f.err != nil {
		return Config{}, f.err
	}
	names := hfFieldNames("layer_norm_eps")
	names.intermediate = "ffn_dim"
	return config, config.check(names)
}
