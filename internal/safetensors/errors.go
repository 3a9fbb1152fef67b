package safetensors

import "errors"

var (
	// ErrInvalid marks a file that breaks the format. The text around it
	// names the tensor or the header byte.
	ErrInvalid = errors.New("invalid safetensors file: fetch or write it again")
	// ErrNotFound is returned for a tensor that the file does not hold.
	ErrNotFound = errors.New("no such tensor in the safetensors file")
	// ErrDType is returned where a tensor's dtype cannot be turned into, or
	// written from, float32.
	ErrDType = errors.New("dtype cannot be converted: use F32, F16, BF16 or (reading only) F64")
	// ErrArgument is returned where what the caller hands over does not fit:
	// a buffer of another length, or tensors that make no valid file.
	ErrArgument = errors.New("wrong argument")
)
