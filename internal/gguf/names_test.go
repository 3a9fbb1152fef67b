package gguf

import "testing"

func TestNames(t *testing.T) {
	for _, c := range []struct {
		architecture, weight, tensor string
		paired                       bool
	}{
		{"llama", "model.embed_tokens.weight", "token_embd.weight", false},
		{"llama", "lm_head.weight", "output.weight", false},
		{"llama", "model.layers.0.self_attn.q_proj.weight", "blk.0.attn_q.weight", true},
		{"llama", "model.layers.31.self_attn.k_proj.weight", "blk.31.attn_k.weight", true},
		{"llama", "model.layers.31.self_attn.v_proj.weight", "blk.31.attn_v.weight", false},
		{"llama", "model.layers.2.mlp.down_proj.weight", "blk.2.ffn_down.weight", false},
		{"qwen2", "model.layers.0.self_attn.q_proj.weight", "blk.0.attn_q.weight", false},
		{"qwen2", "model.layers.0.self_attn.q_proj.bias", "blk.0.attn_q.bias", false},
		{"qwen3", "model.layers.7.self_attn.q_norm.weight", "blk.7.attn_q_norm.weight", false},
		{"gpt2", "transformer.h.11.attn.c_attn.weight", "blk.11.attn_qkv.weight", false},
		{"gpt2", "transformer.h.11.mlp.c_proj.bias", "blk.11.ffn_down.bias", false},
		{"gpt2", "transformer.h.11.attn.c_proj.weight", "blk.11.attn_output.weight", false},
		{"gpt2", "transformer.wpe.weight", "position_embd.weight", false},
	} {
		n, known := NamesOf(c.architecture)
		if !known {
			t.Fatalf("%s is not known", c.architecture)
		}
		if got, found := n.Tensor(c.weight); got != c.tensor || !found {
			t.Errorf("%s: %s is the tensor %q, %v, want %s", c.architecture, c.weight, got, found, c.tensor)
		}
		if got, found := n.Weight(c.tensor); got != c.weight || !found {
			t.Errorf("%s: %s is the weight %q, %v, want %s", c.architecture, c.tensor, got, found, c.weight)
		}
		if got := n.Paired(c.weight); got != c.paired {
			t.Errorf("%s: %s paired: %v", c.architecture, c.weight, got)
		}
	}
	n, _ := NamesOf("llama")
	for _, name := range []string{
		"", ".", "weight", "blk", "blk.", "blk.0", "blk.0.", "blk.0.weight", "blk.x.attn_q.weight", "blk.+1.attn_q.weight",
		"blk.01.attn_q.weight", "blk.-1.attn_q.weight", "blk.99999999999999999999.attn_q.weight", "blk.0.token_embd.weight",
		"attn_q.weight", "model.layers.0.attn_q.weight", "rope_freqs.weight",
	} {
		if got, found := n.Weight(name); found {
			t.Errorf("the tensor %q is the weight %q", name, got)
		}
		if got, found := n.Tensor(name); found {
			t.Errorf("the weight %q is the tensor %q", name, got)
		}
		if n.Paired(name) {
			t.Errorf("%q is paired", name)
		}
	}
	for _, architecture := range []string{"", "opt", "roberta", "bert"} {
		if _, known := NamesOf(architecture); known {
			t.Errorf("%q is known", architecture)
		}
	}
}
