package gguf

import "errors"

var (
	// ErrInvalid marks a file that breaks the format. The text around it
	// names the metadata entry, the tensor or the field.
	ErrInvalid = errors.New("invalid GGUF file: fetch or write it again")
	// ErrUnsupported marks a sound file that this package does not read:
	// version 1 or a future one, big-endian, or, from ReadF32, a tensor type
	// that it cannot turn into float32.
	ErrUnsupported = errors.New("not supported: convert the file with llama.cpp to version 3 and F32, F16, BF16, Q8_0, Q4_0 … Q5_1 or Q2_K … Q6_K")
	// ErrNotFound is returned for a key or tensor that the file does not hold.
	ErrNotFound = errors.New("not in the GGUF file")
	// ErrType is returned where a metadata value has another type, or a value
	// out of the range, of what was asked for.
	ErrType = errors.New("metadata value does not fit: the file was made for another program or model")
	// ErrArgument is returned where what the caller hands over does not fit:
	// a buffer of another length, or entries that make no valid file.
	ErrArgument = errors.New("wrong argument")
)
