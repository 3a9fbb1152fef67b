package tokenizer

// The ids of Bytes behind those of the bytes.
const (
	bytesBOS = 256 + iota
	bytesEOS
	bytesMask
	bytesSize
)

// Bytes makes a tokenizer of kind ByteBPE, and its bytes for Parse, for a model
// whose own vocabulary is not at hand: id b is the byte b, and 256, 257 and 258
// are <s>, </s> and <mask>. Text has <s> in front, and </s> behind where around
// is set, as models that read both ways want it.
func Bytes(around bool) (Tokenizer, []byte, error) {
	v := &byteVocabulary{
		recipe: recipe{
			Split: []string{splitGPT2}, Unknown: noID, EOS: bytesEOS, Prefix: []int32{bytesBOS},
			Added: []addedToken{
				{ID: bytesBOS, Content: "<s>", Special: true},
				{ID: bytesEOS, Content: "</s>", Special: true},
				{ID: bytesMask, Content: "<mask>", Special: true, LStrip: true},
			},
		},
		tokens: make([]string, bytesSize),
	}
	for value := range 256 {
		v.tokens[value] = string([]byte{byte(value)})
	}
	if around {
		v.recipe.Suffix = []int32{bytesEOS}
	}
	data, err := v.marshal()
	if err != nil {
		return nil, nil, err
	}
	tok, err := Parse(ByteBPE, data)
	return tok, data, err
}
