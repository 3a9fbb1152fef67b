// Package importer reads checkpoints, whatever their format, as one thing: a
// [Config] and weights under Hugging Face names.
//
// [Open] takes a Hugging Face folder (config.json beside model.safetensors,
// or beside model.safetensors.index.json and its shards) of the architectures
// llama, qwen2, qwen3, gpt2, opt and roberta, a GGUF file of llama, qwen2, qwen3
// or gpt2 as llama.cpp's converter writes it, whole, or a llama2.c file (v0, the
// headerless first format; v1, float32; v2, int8 in groups).
//
// Weights have the names of Hugging Face's model with its head, also where a
// checkpoint was saved from the part below the head and lacks the first words
// of each name. [Config.Weights] lists them with their shapes. Matrices are
// row-major as [outputs, inputs]; GPT-2's, which are stored the other way round,
// are transposed when read. Of a Llama, H heads and HKV key-value heads of D
// elements each:
//
//	model.embed_tokens.weight                          [vocab, hidden]
//	model.layers.N.input_layernorm.weight              [hidden]
//	model.layers.N.self_attn.q_proj.weight             [H·D, hidden]
//	model.layers.N.self_attn.{k,v}_proj.weight         [HKV·D, hidden]
//	model.layers.N.self_attn.o_proj.weight             [hidden, H·D]
//	model.layers.N.post_attention_layernorm.weight     [hidden]
//	model.layers.N.mlp.{gate,up}_proj.weight           [intermediate, hidden]
//	model.layers.N.mlp.down_proj.weight                [hidden, intermediate]
//	model.norm.weight                                  [hidden]
//	lm_head.weight                                     [vocab, hidden], unless tied
//
// Within a head, llama2.c turns neighbours (rows 2i and 2i+1 of q_proj and k_proj)
// together and Hugging Face halves (rows i and i+D/2). The rows stay as these two
// have them: [Config].Interleaved says which. A GGUF file has a Llama's in
// llama2.c's order; they are put in Hugging Face's when read, so that an adapter
// fits either checkpoint. Tables of learned positions stay as they are too:
// [Config].PositionOffset says where position 0 is.
//
// Opening a checkpoint reads headers only and checks everything they say
// against the files' sizes, so that a hostile file gives an error, and a file
// for another architecture is refused rather than misread. Weights are read
// whole or by rows, through small buffers; values are not judged (NaN included).
//
// [Merge] writes a Hugging Face folder anew with low-rank products added to its
// weights, streaming them likewise.
//
// The compiler and the tool call this package. It knows nothing of graphs,
// programs or tokenizers.
//
// An architecture is a family in a file of its own: how its config.json reads
// and which weights that makes.
package importer
