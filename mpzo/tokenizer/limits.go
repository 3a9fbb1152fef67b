package tokenizer

// Limits on what is read from outside. They lie well above every published
// vocabulary (the largest have 262144 pieces, in files of a few megabytes) and
// bound memory and time for hostile files.
const (
	// maxFileBytes bounds a tokenizer file.
	maxFileBytes = 64 << 20

	// maxPieces bounds the vocabulary.
	maxPieces = 1 << 20

	// maxPieceBytes bounds one piece. SentencePiece trains up to 16 characters
	// unless told otherwise. Matching a text costs at most this much per byte.
	maxPieceBytes = 1024

	// maxRuleBytes bounds both sides of one normalisation rule. The longest of
	// the stock rules replaces one character by 18, 33 bytes.
	maxRuleBytes = 256
)
