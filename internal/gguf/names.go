package gguf

import (
	"strconv"
	"strings"
)

// Names maps the weights of an architecture between Hugging Face's names and
// those in the files of llama.cpp. There what is in a layer follows "blk.N.".
// (Source: gguf-py/gguf/tensor_mapping.py of ggml-org/llama.cpp.)
type Names struct {
	layers         string            // begins Hugging Face's names of a layer's weights
	outside, layer map[string]string // Hugging Face's modules by the file's
	paired         []string          // modules of a layer
}

const fileLayers = "blk."

// NamesOf returns the names of llama, qwen2, qwen3 or gpt2: the architectures
// that Zeroth and llama.cpp share.
func NamesOf(architecture string) (Names, bool) {
	switch architecture {
	case "gpt2":
		return Names{
			layers: "transformer.h.",
			outside: map[string]string{
				"token_embd": "transformer.wte", "position_embd": "transformer.wpe",
				"output_norm": "transformer.ln_f", "output": "lm_head",
			},
			layer: map[string]string{
				"attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj",
				"ffn_norm": "ln_2", "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj",
			},
		}, true
	case "llama", "qwen2", "qwen3":
		n := Names{
			layers:  "model.layers.",
			outside: map[string]string{"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"},
			layer: map[string]string{
				"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
				"attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
				"ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
			},
		}
		if architecture == "llama" {
			n.paired = []string{"self_attn.q_proj", "self_attn.k_proj"}
		}
		return n, true
	}
	return Names{}, false
}

// Weight returns Hugging Face's name of a tensor, and whether there is one.
func (n Names) Weight(tensor string) (string, bool) {
	prefix, module, kind, ok := splitTensor(fileLayers, tensor)
	if !ok {
		return "", false
	}
	modules, stem := n.outside, ""
	if prefix != "" {
		modules, stem = n.layer, n.layers+strings.TrimPrefix(prefix, fileLayers)
	}
	name, found := modules[module]
	return stem + name + kind, found
}

// Tensor returns the file's name of a weight, and whether there is one.
func (n Names) Tensor(weight string) (string, bool) {
	prefix, module, kind, ok := splitTensor(n.layers, weight)
	if !ok {
		return "", false
	}
	modules, stem := n.outside, ""
	if prefix != "" {
		modules, stem = n.layer, fileLayers+strings.TrimPrefix(prefix, n.layers)
	}
	for file, other := range modules {
		if other == module {
			return stem + file + kind, true
		}
	}
	return "", false
}

// Paired reports whether the file has the rows of a weight, given by Hugging
// Face's name, in another order. llama.cpp's RoPE turns neighbours of a head
// together in a Llama, halves in a Qwen; its converter reorders q and k of a
// Llama to that end: row 2i in the file is row i, row 2i + 1 row D/2 + i, in each
// head of D rows.
func (n Names) Paired(weight string) bool {
	prefix, module, kind, ok := splitTensor(n.layers, weight)
	if !ok || prefix == "" || kind != ".weight" {
		return false
	}
	for _, paired := range n.paired {
		if paired == module {
			return true
		}
	}
	return false
}

// splitTensor takes "blk.3.attn_q.weight" apart: what leads to the layer, its
// number and a dot; the module; and ".weight" or ".bias". Of what is in no layer
// the prefix is empty.
func splitTensor(layers, name string) (prefix, module, kind string, ok bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return "", "", "", false
	}
	module, kind = name[:dot], name[dot:]
	rest, inLayer := strings.CutPrefix(module, layers)
	if !inLayer {
		return "", module, kind, true
	}
	number, rest, found := strings.Cut(rest, ".")
	layer, err := strconv.Atoi(number)
	if !found || err != nil || layer < 0 || strconv.Itoa(layer) != number { // no "+1", no "01"
		return "", "", "", false
	}
	return layers + number + ".", rest, kind, true
}
