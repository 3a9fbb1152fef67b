package importer

import (
	"fmt"
	"slices"
)

// publishedModel is a model whose shape is known without its weights.
type publishedModel struct {
	name   string
	source string // repository on huggingface.co whose config.json says so
	config string // what of that config.json bears on the shape and the arithmetic
}

// publishedModels are the known shapes. (Source: config.json of each repository.)
func publishedModels() []publishedModel {
	return []publishedModel{
		{"gpt2", "openai-community/gpt2", `{"model_type":"gpt2","n_embd":768,"n_layer":12,"n_head":12,"vocab_size":50257}`},
		{"gpt2-medium", "openai-community/gpt2-medium", `{"model_type":"gpt2","n_embd":1024,"n_layer":24,"n_head":16,"vocab_size":50257}`},
		{"gpt2-large", "openai-community/gpt2-large", `{"model_type":"gpt2","n_embd":1280,"n_layer":36,"n_head":20,"vocab_size":50257}`},
		{"gpt2-xl", "openai-community/gpt2-xl", `{"model_type":"gpt2","n_embd":1600,"n_layer":48,"n_head":25,"vocab_size":50257}`},

		{"roberta-base", "FacebookAI/roberta-base", `{"model_type":"roberta","hidden_size":768,"intermediate_size":3072,"num_hidden_layers":12,
			"num_attention_heads":12,"vocab_size":50265,"max_position_embeddings":514,"type_vocab_size":1,"pad_token_id":1,"layer_norm_eps":1e-05}`},
		{"roberta-large", "FacebookAI/roberta-large", `{"model_type":"roberta","hidden_size":1024,"intermediate_size":4096,"num_hidden_layers":24,
			"num_attention_heads":16,"vocab_size":50265,"max_position_embeddings":514,"type_vocab_size":1,"pad_token_id":1,"layer_norm_eps":1e-05}`},

		{"opt-125m", "facebook/opt-125m", `{"model_type":"opt","hidden_size":768,"ffn_dim":3072,"num_hidden_layers":12,"num_attention_heads":12,"vocab_size":50272}`},
		{"opt-350m", "facebook/opt-350m", `{"model_type":"opt","hidden_size":1024,"ffn_dim":4096,"num_hidden_layers":24,"num_attention_heads":16,"vocab_size":50272,
			"word_embed_proj_dim":512,"do_layer_norm_before":false}`},
		{"opt-1.3b", "facebook/opt-1.3b", `{"model_type":"opt","hidden_size":2048,"ffn_dim":8192,"num_hidden_layers":24,"num_attention_heads":32,"vocab_size":50272}`},
		{"opt-2.7b", "facebook/opt-2.7b", `{"model_type":"opt","hidden_size":2560,"ffn_dim":10240,"num_hidden_layers":32,"num_attention_heads":32,"vocab_size":50272}`},
		{"opt-6.7b", "facebook/opt-6.7b", `{"model_type":"opt","hidden_size":4096,"ffn_dim":16384,"num_hidden_layers":32,"num_attention_heads":32,"vocab_size":50272}`},
		{"opt-13b", "facebook/opt-13b", `{"model_type":"opt","hidden_size":5120,"ffn_dim":20480,"num_hidden_layers":40,"num_attention_heads":40,"vocab_size":50272}`},

		{"tinyllama-1.1b", "TinyLlama/TinyLlama-1.1B-Chat-v1.0", `{"model_type":"llama","hidden_size":2048,"intermediate_size":5632,"num_hidden_layers":22,
			"num_attention_heads":32,"num_key_value_heads":4,"vocab_size":32000,"max_position_embeddings":2048,"rms_norm_eps":1e-05}`},
		{"llama-2-7b", "meta-llama/Llama-2-7b-hf", `{"model_type":"llama","hidden_size":4096,"intermediate_size":11008,"num_hidden_layers":32,
			"num_attention_heads":32,"vocab_size":32000,"max_position_embeddings":4096,"rms_norm_eps":1e-05}`},
		{"llama-2-13b", "meta-llama/Llama-2-13b-hf", `{"model_type":"llama","hidden_size":5120,"intermediate_size":13824,"num_hidden_layers":40,
			"num_attention_heads":40,"vocab_size":32000,"max_position_embeddings":4096,"rms_norm_eps":1e-05}`},
		{"llama-3-8b", "meta-llama/Meta-Llama-3-8B", `{"model_type":"llama","hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,
			"num_attention_heads":32,"num_key_value_heads":8,"vocab_size":128256,"max_position_embeddings":8192,"rms_norm_eps":1e-05,"rope_theta":500000}`},
		{"llama-3.2-1b", "meta-llama/Llama-3.2-1B", `{"model_type":"llama","hidden_size":2048,"intermediate_size":8192,"num_hidden_layers":16,
			"num_attention_heads":32,"num_key_value_heads":8,"head_dim":64,"vocab_size":128256,"max_position_embeddings":131072,"rms_norm_eps":1e-05,
			"rope_theta":500000,"tie_word_embeddings":true,"rope_scaling":{"rope_type":"llama3","factor":32,"low_freq_factor":1,"high_freq_factor":4,
			"original_max_position_embeddings":8192}}`},
		{"llama-3.2-3b", "meta-llama/Llama-3.2-3B", `{"model_type":"llama","hidden_size":3072,"intermediate_size":8192,"num_hidden_layers":28,
			"num_attention_heads":24,"num_key_value_heads":8,"head_dim":128,"vocab_size":128256,"max_position_embeddings":131072,"rms_norm_eps":1e-05,
			"rope_theta":500000,"tie_word_embeddings":true,"rope_scaling":{"rope_type":"llama3","factor":32,"low_freq_factor":1,"high_freq_factor":4,
			"original_max_position_embeddings":8192}}`},

		{"qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B", `{"model_type":"qwen2","hidden_size":896,"intermediate_size":4864,"num_hidden_layers":24,
			"num_attention_heads":14,"num_key_value_heads":2,"vocab_size":151936,"rms_norm_eps":1e-06,"rope_theta":1000000,"tie_word_embeddings":true}`},
		{"qwen2.5-1.5b", "Qwen/Qwen2.5-1.5B", `{"model_type":"qwen2","hidden_size":1536,"intermediate_size":8960,"num_hidden_layers":28,
			"num_attention_heads":12,"num_key_value_heads":2,"vocab_size":151936,"max_position_embeddings":131072,"rms_norm_eps":1e-06,
			"rope_theta":1000000,"tie_word_embeddings":true}`},
		{"qwen2.5-7b", "Qwen/Qwen2.5-7B", `{"model_type":"qwen2","hidden_size":3584,"intermediate_size":18944,"num_hidden_layers":28,
			"num_attention_heads":28,"num_key_value_heads":4,"vocab_size":152064,"max_position_embeddings":131072,"rms_norm_eps":1e-06,"rope_theta":1000000}`},
		{"qwen3-0.6b", "Qwen/Qwen3-0.6B", `{"model_type":"qwen3","hidden_size":1024,"intermediate_size":3072,"num_hidden_layers":28,
			"num_attention_heads":16,"num_key_value_heads":8,"head_dim":128,"vocab_size":151936,"max_position_embeddings":40960,"rms_norm_eps":1e-06,
			"rope_theta":1000000,"tie_word_embeddings":true}`},
		{"qwen3-1.7b", "Qwen/Qwen3-1.7B", `{"model_type":"qwen3","hidden_size":2048,"intermediate_size":6144,"num_hidden_layers":28,
			"num_attention_heads":16,"num_key_value_heads":8,"head_dim":128,"vocab_size":151936,"max_position_embeddings":40960,"rms_norm_eps":1e-06,
			"rope_theta":1000000,"tie_word_embeddings":true}`},
		{"qwen3-4b", "Qwen/Qwen3-4B", `{"model_type":"qwen3","hidden_size":2560,"intermediate_size":9728,"num_hidden_layers":36,
			"num_attention_heads":32,"num_key_value_heads":8,"head_dim":128,"vocab_size":151936,"max_position_embeddings":40960,"rms_norm_eps":1e-06,
			"rope_theta":1000000,"tie_word_embeddings":true}`},
	}
}

// PublishedNames are the models that [NewSynthetic] knows the shape of.
func PublishedNames() []string {
	var names []string
	for _, m := range publishedModels() {
		names = append(names, m.name)
	}
	return names
}

// publishedConfig reads a model's config.
func publishedConfig(name string) (Config, error) {
	models := publishedModels()
	at := slices.IndexFunc(models, func(m publishedModel) bool { return m.name == name })
	if at < 0 {
		return Config{}, fmt.Errorf("no model %.64q is known: %w", name, ErrArgument)
	}
	config, err := parseHFConfig([]byte(models[at].config))
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", models[at].source, err)
	}
	return config, nil
}
