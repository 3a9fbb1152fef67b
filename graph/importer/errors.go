package importer

import "errors"

var (
	// ErrInvalid marks a checkpoint that contradicts itself or its format.
	// The text around it names the field or tensor.
	ErrInvalid = errors.New("invalid checkpoint")
	// ErrUnsupported marks a sound checkpoint that needs what Zeroth does not
	// do: another architecture, another kind of RoPE scaling, a quantised format.
	ErrUnsupported = errors.New("unsupported checkpoint")
	// ErrUnknownFormat is returned for what is neither a Hugging Face folder
	// nor a GGUF or llama2.c file.
	ErrUnknownFormat = errors.New("unknown checkpoint format: give a Hugging Face folder with config.json and model.safetensors, a .gguf file or a llama2.c .bin file")
	// ErrNotFound is returned for a weight that the checkpoint does not have.
	ErrNotFound = errors.New("no such weight in the checkpoint")
	// ErrMismatch is returned for a product that fits no layer of the checkpoint.
	ErrMismatch = errors.New("the adapter is of another model: give the checkpoint that it was trained on")
	// ErrArgument is returned for a buffer or product that does not fit the weight.
	ErrArgument = errors.New("wrong argument")
)
