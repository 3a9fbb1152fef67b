// Package adapter reads and writes LoRA adapters as Hugging Face PEFT keeps
// them, so that what Zeroth trains loads into Transformers and vLLM, and what PEFT
// trained can be trained on here. It writes them for llama.cpp too.
//
// An adapter is a folder of two files. adapter_model.safetensors holds for each
// adapted module the tensors
//
//	base_model.model.<module>.lora_A.weight  [r, in]
//	base_model.model.<module>.lora_B.weight  [out, r]
//
// where <module> is the module's path in the Hugging Face model, such as
// model.layers.3.self_attn.q_proj; adapter_config.json holds the LoraConfig. The
// adapted module computes y = W x + s B (A x) with s = alpha/r.
//
// [Write] makes such a folder from an [Adapter], [Read] the other way round. Read
// takes what the arithmetic above covers and refuses the rest of PEFT (DoRA,
// ranks that vary, trained biases, whole modules saved beside …) by the name of
// the field, because an adapter applied with other arithmetic is silently wrong.
// [WriteGGUF] writes one file that llama.cpp loads beside a model.
//
// What llama2.c checkpoints name and order differently is for the importer, with
// one exception: the rows of q_proj and k_proj, which [InterleavedToHalf] and
// [HalfToInterleaved] reorder. The package knows files, not training: it sees no
// program and no journal.
package adapter
