package importer

import (
	"strconv"
	"strings"
)

const (
	ggufLayers      = "blk."
	ggufEmbedding   = "token_embd.weight"
	ggufHead        = "output.weight"
	ggufFrequencies = "rope_freqs.weight"
)

// ggufTensors maps the names of an architecture's tensors: modules, without
// ".weight" or ".bias", by the file's names. What is in a layer follows "blk.N."
// there. (Source: gguf-py/gguf/tensor_mapping.py of ggml-org/llama.cpp.)
type ggufTensors struct {
	outside, layer map[string]string
	layers         string // begins the names of a layer's weights here
	needed         map[string]bool
}

func newGGUFTensors(c Config) ggufTensors {
	var t ggufTensors
	if c.Architecture == "gpt2" {
		t.outside = map[string]string{
			"token_embd": "transformer.wte", "position_embd": "transformer.wpe",
			"output_norm": "transformer.ln_f", "output": "lm_head",
		}
		t.layer = map[string]string{
			"attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj",
			"ffn_norm": "ln_2", "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj",
		}
	} else {
		t.outside = map[string]string{"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
		t.layer = map[string]string{
			"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
			"attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
			"ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
		}
	}
	form, _ := familyOf(c.Architecture)
	t.layers = form.layers
	t.needed = make(map[string]bool)
	all := form.layout(c)
	for _, weights := range [][]Weight{all.first, all.layer, all.last} {
		for _, weight := range weights {
			t.needed[weight.Name] = true
		}
	}
	return t
}

// weight returns the weight of c that a tensor is, and whether there is one.
func (t ggufTensors) weight(c Config, tensor string) (string, bool) {
	layer, rest := splitName(ggufLayers, tensor)
	modules, stem := t.outside, ""
	if layer >= 0 {
		modules, stem = t.layer, t.layers+strconv.Itoa(layer)+"."
	}
	dot := strings.LastIndexByte(rest, '.')
	if dot < 0 || layer >= c.Layers {
		return "", false
	}
	module, found := modules[rest[:dot]]
	if name := module + rest[dot:]; found && t.needed[name] {
		return stem + name, true
	}
	return "", false
}

// stored returns the file's name of a weight.
func (t ggufTensors) stored(weight string) string {
	layer, rest := splitName(t.layers, weight)
	modules, stem := t.outside, ""
	if layer >= 0 {
		modules, stem = t.layer, ggufLayers+strconv.Itoa(layer)+"."
	}
	dot := strings.LastIndexByte(rest, '.')
	for file, module := range modules {
		if module == rest[:dot] {
			return stem + file + rest[dot:]
		}
	}
	return weight
}
