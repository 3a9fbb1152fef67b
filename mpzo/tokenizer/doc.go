// Package tokenizer turns text into the token ids a model was trained on, and
// ids back into text. It reads SentencePiece models (tokenizer.model, BPE and
// unigram), llama2.c vocabularies (tokenizer.bin) and byte-level BPE as GPT-2,
// RoBERTa, OPT, GPT-NeoX, Llama 3 and Qwen2 to Qwen3 have it: tokenizer.json,
// vocab.json with merges.txt, tiktoken ranks, and the metadata of GGUF.
//
// Start with [Open] for a file or a model folder, or [Parse] for bytes kept in
// a program file. Both check the whole file before they return: whatever
// they accept encodes any string and decodes any ids without an error. A
// tokenizer is immutable and may be used by many goroutines at once.
//
// # What is promised
//
// Ids are those of the reference programs: SentencePiece's C++ library (the
// semantics of 0.2.1: normaliser, user-defined and unused symbols, byte
// fallback, joined unknowns) for a .model, run.c of llama2.c for a
// tokenizer.bin, and Hugging Face's Rust library (tokenizers 0.23) for byte-level
// BPE. Encode adds no BOS or EOS; [Wrap] does, as the model wants it.
//
// SentencePiece's and llama2.c's control symbols are never found in text: "<s>"
// is three characters. Byte-level BPE finds added tokens in text, special ones
// too, as its reference does, so that "<mask>" in a prompt is the mask. Text of
// strangers may hold them; [Special] tells their ids.
//
// Invalid UTF-8 follows the reference as well. SentencePiece reads each bad
// byte as U+FFFD; llama2.c encodes it as the byte piece of its own value. Byte-level
// BPE keeps the bytes, or reads U+FFFD where the vocabulary lacks those bytes
// that UTF-8 never has (GPT-NeoX).
//
// Where the model has byte fallback, no rewriting rules, keeps all spaces
// (remove_extra_whitespaces off) and puts the dummy space in front, if any,
// Decode(Encode(s)) = s for every valid UTF-8 s without U+2581, which stands for
// the space there. A tokenizer.bin promises it for all valid UTF-8, byte-level BPE
// for any bytes that it has tokens for, but for three things: a special token has
// no text, one that strips takes the spaces beside it, and NFC and
// add_prefix_space, where the model has them, stay applied.
//
// # What stays out
//
// Prompt templates, truncation and padding belong to callers. Other models that a
// tokenizer.json may hold (Unigram, WordPiece, BPE with Metaspace) and expressions
// that are not in splitter.go are refused by name with [ErrUnsupported].
//
// The package imports nothing of ours, of others only x/text's NFC, and may be
// imported by mpzo and tools.
package tokenizer
