package tokenizer

import "errors"

var (
	// ErrMalformed: the bytes are not a valid file of their kind. The message
	// names the piece, field or byte offset.
	ErrMalformed = errors.New("malformed tokenizer")

	// ErrUnsupported: the file is a tokenizer, or part of one, that this
	// package does not implement. The message says what to give instead.
	ErrUnsupported = errors.New("tokenizer not supported")

	// ErrTooLarge: the file or a count in it is past the limits of this package
	// (see the constants in limits.go).
	ErrTooLarge = errors.New("tokenizer too large")

	// ErrNoTokenizer: Open was given a folder without a tokenizer file.
	ErrNoTokenizer = errors.New("no tokenizer file")
)
