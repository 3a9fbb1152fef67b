// Package model builds modules from checkpoints: one file an architecture,
// each a page that reads like the paper, from the same blocks.
//
// [Build] picks the builder by the checkpoint's architecture. All give the same
// methods, "forward" (logits of the chosen rows) and "losses" (row losses, their
// weighted sum, and the loss over candidates); their inputs are packed tokens
// without padding, see mpzo/data.Batch.
//
// # Sites
//
// Every linear layer within the layers is a LoRA site. A site's name is the
// path of its module in Hugging Face's model, so that PEFT takes adapters back;
// its short module name is what users choose by:
//
//	llama, qwen2, qwen3   q k v o gate up down
//	opt, roberta          q k v o fc1 fc2
//	gpt2                  qkv o fc1 fc2
//
// GPT-2's attn.c_attn is one layer with one matrix [3C, C], for PEFT too, whose
// LoRA has one A for queries, keys and values. It stays one site, and its output
// is sliced in three.
//
// # Metadata
//
// arch, hidden_size, intermediate_size, layers, heads, kv_heads, head_dim,
// vocab_size, context, bos_id, eos_id (−1 for none), causal, mean_choices,
// rope.interleaved (false where positions are learned), tied and weights (the
// element type of weight matrices).
package model
