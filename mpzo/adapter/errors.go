package adapter

import "errors"

// The errors of this package wrap one of these, one of package safetensors, or
// the error of the file system.
var (
	// ErrFormat: the folder does not hold a PEFT LoRA adapter as it should be.
	ErrFormat = errors.New("not a valid PEFT LoRA adapter")
	// ErrUnsupported: the adapter needs arithmetic that Zeroth does not have.
	ErrUnsupported = errors.New("adapter not supported")
	// ErrOtherModel: the adapter's modules are not those of the model at hand.
	ErrOtherModel = errors.New("adapter is of another model")
	// ErrArgument: an Adapter or a slice given to this package does not fit
	// together.
	ErrArgument = errors.New("invalid adapter")
)
