package tokenizer

// Special is a second, optional interface: tokenizers that know what their model
// wants around a text, and special tokens within it, have it. Those read from
// byte-level BPE files do.
type Special interface {
	// Prefix and Suffix return the ids that the model wants before and behind a
	// text: RoBERTa <s> and </s>, OPT </s> and nothing, GPT-2 and Qwen2 nothing.
	Prefix() []int32
	Suffix() []int32

	// SpecialID returns the id of an added token by its content, such as "<mask>"
	// or "<|im_end|>", or -1.
	SpecialID(content string) int32
}

// Wrap returns ids, one text's, with what its model wants around it: for a
// tokenizer that is Special its prefix and suffix, for another BOS, if it has
// one. ids stays as it is.
func Wrap(tok Tokenizer, ids []int32) []int32 {
	var prefix, suffix []int32
	if special, ok := tok.(Special); ok {
		prefix, suffix = special.Prefix(), special.Suffix()
	} else if bos := tok.BOS(); bos >= 0 {
		prefix = []int32{bos}
	}
	out := make([]int32, 0, len(prefix)+len(ids)+len(suffix))
	return append(append(append(out, prefix...), ids...), suffix...)
}
