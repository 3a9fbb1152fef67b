// Package tokenizer turns text into the token ids a model was trained on, and
// ids back into text. It reads two files: SentencePiece models (tokenizer.model,
// BPE and unigram) and llama2.c vocabularies (tokenizer.bin).
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
// fallback, joined unknowns) for a .model, and run.c of llama2.c for a
// tokenizer.bin. Encode adds no BOS or EOS: that is the caller's choice.
// Neither are such symbols ever found in text: "<s>" is three characters.
//
// Invalid UTF-8 follows the reference as well. SentencePiece reads each bad
// byte as U+FFFD; llama2.c encodes it as the byte piece of its own value.
//
// Where the model has byte fallback, no rewriting rules, keeps all spaces
// (remove_extra_whitespaces off) and puts the dummy space in front, if any,
// Decode(Encode(s)) = s for every valid UTF-8 s without U+2581, which stands for
// the space there. A tokenizer.bin promises it for all valid UTF-8.
//
// # What stays out
//
// Prompt templates, special-token policy and padding belong to callers. No
// other kind of tokenizer is here yet: tiktoken ranks and Hugging Face's
// tokenizer.json are refused with [ErrUnsupported].
//
// The package imports nothing of ours and may be imported by mpzo and tools.
package tokenizer
