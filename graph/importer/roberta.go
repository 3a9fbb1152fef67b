package importer

import "slices"

// robertaFamily is RoBERTa with its masked-language-model head.
func robertaFamily() family {
	return family{
		classes: []string{"RobertaForMaskedLM"},
		stem:    "roberta.", layers: "roberta.encoder.layer.",
		parse:  parseRoBERTa,
		layout: robertaLayout,
		unneeded: func(c Config, name string) bool {
			switch name {
			case "roberta.embeddings.position_ids", // 0, 1, 2, …
				"roberta.pooler.dense.weight", "roberta.pooler.dense.bias", // for classifiers
				"lm_head.decoder.bias": // lm_head.bias again
				return true
			}
			return c.Tied && name == robertaHead
		},
		spellings: map[string]string{"lm_head.bias": "lm_head.decoder.bias"},
	}
}

const robertaHead = "lm_head.decoder.weight"

func robertaLayout(c Config) layout {
	l := layout{
		first: slices.Concat(
			[]Weight{
				{"roberta.embeddings.word_embeddings.weight", []int{c.VocabSize, c.HiddenSize}},
				{"roberta.embeddings.position_embeddings.weight", []int{c.MaxPositions + c.PositionOffset, c.HiddenSize}},
				{"roberta.embeddings.token_type_embeddings.weight", []int{c.TokenTypes, c.HiddenSize}},
			},
			normWeights("roberta.embeddings.LayerNorm", c.HiddenSize),
		),
		layer: slices.Concat(
			linearWeights("attention.self.query", c.HiddenSize, c.HiddenSize),
			linearWeights("attention.self.key", c.HiddenSize, c.HiddenSize),
			linearWeights("attention.self.value", c.HiddenSize, c.HiddenSize),
			linearWeights("attention.output.dense", c.HiddenSize, c.HiddenSize),
			normWeights("attention.output.LayerNorm", c.HiddenSize),
			linearWeights("intermediate.dense", c.IntermediateSize, c.HiddenSize),
			linearWeights("output.dense", c.HiddenSize, c.IntermediateSize),
			normWeights("output.LayerNorm", c.HiddenSize),
		),
		last: slices.Concat(
			linearWeights("lm_head.dense", c.HiddenSize, c.HiddenSize),
			normWeights("lm_head.layer_norm", c.HiddenSize),
			[]Weight{{"lm_head.bias", []int{c.VocabSize}}},
		),
	}
	if !c.Tied {
		l.last = append(l.last, Weight{robertaHead, []int{c.VocabSize, c.HiddenSize}})
	}
	return l
}

// parseRoBERTa reads the config.json of a RobertaForMaskedLM. The first
// position is pad_token_id + 1; the rows up to there are never read.
func parseRoBERTa(f *fields) (Config, error) {
	f.wantText("position_embedding_type", "absolute")
	f.wantBoolean("is_decoder", false, "RoBERTa as a decoder is not supported")
	f.wantBoolean("add_cross_attention", false, "cross-attention is not supported")
	config := Config{
		Architecture:     "roberta",
		HiddenSize:       f.integer("hidden_size"),
		IntermediateSize: f.integer("intermediate_size"),
		Layers:           f.integer("num_hidden_layers"),
		Heads:            f.integer("num_attention_heads"),
		VocabSize:        f.integer("vocab_size"),
		PositionOffset:   f.integerOr("pad_token_id", 1) + 1,
		TokenTypes:       f.integerOr("type_vocab_size", 2),
		NormEps:          f.numberOr("layer_norm_eps", 1e-12),
		Activation:       f.activation("hidden_act", "gelu"),
		Tied:             f.booleanOr("tie_word_embeddings", true),
		BOS:              f.tokenID("bos_token_id"),
		EOS:              f.tokenID("eos_token_id"),
	}
	rows := f.integerOr("max_position_embeddings", 512)
	config.MaxPositions = rows - config.PositionOffset
	if config.PositionOffset < 1 || config.MaxPositions < 1 {
		f.fail("max_position_embeddings %d with pad_token_id %d: want at least 2 more than an id from 0: %w", rows, config.PositionOffset-1, ErrInvalid)
	}
	if config.TokenTypes < 1 || config.TokenTypes > 1<<16 {
		f.fail("type_vocab_size %d: want 1 to %d: %w", config.TokenTypes, 1<<16, ErrInvalid)
	}
	config.wholeHeads(f, "hidden_size", "num_attention_heads")
	if f.err != nil {
		return Config{}, f.err
	}
	return config, config.check(hfFieldNames("layer_norm_eps"))
}
