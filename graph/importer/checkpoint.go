package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"zeroth/internal/readat"
)

// Info describes a stored weight.
type Info struct {
	Shape []int // row-major; not to be written to
	// DType is as stored: "F32", "F16", "BF16", "F64", "Q8" for int8 in groups, or
	// the name of one of GGUF's quantised types.
	DType string
}

// Checkpoint gives access to the weights of one model. Its methods may be
// called by several goroutines at once, Close excepted.
type Checkpoint interface {
	// Config returns the model's shape, checked.
	Config() Config
	// Names returns the weights that the model needs, all of them present, in
	// the order of [Config.Weights].
	Names() []string
	// Tensor describes a weight; the error wraps [ErrNotFound].
	Tensor(name string) (Info, error)
	// ReadF32 reads a weight into dst, dequantised where need be. The length
	// of dst must be the product of the weight's shape. It reads through a
	// buffer of bounded size. Errors wrap [ErrNotFound], [ErrArgument], or are
	// those of reading.
	ReadF32(name string, dst []float32) error
	// ReadRows is ReadF32 of whole rows from row first on, as many as dst
	// holds; those of a vector are its elements.
	ReadRows(name string, first int, dst []float32) error
	// Close releases the files.
	Close() error
	// Source names format and origin for people: "llama2.c v2 stories.bin".
	// It holds no folder above the checkpoint.
	Source() string
}

// Open opens the checkpoint at path and validates it wholly, but for the
// values of the weights. Errors wrap [ErrUnknownFormat], [ErrInvalid] or
// [ErrUnsupported], or are those of the file system.
func Open(path string) (Checkpoint, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var checkpoint Checkpoint
	if info.IsDir() {
		checkpoint, err = openFolder(path)
	} else {
		checkpoint, err = openFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return checkpoint, nil
}

// openFile opens a GGUF or a llama2.c file.
func openFile(path string) (Checkpoint, error) {
	file, size, err := readat.Open(path)
	if errors.Is(err, readat.ErrNotRegular) {
		return nil, fmt.Errorf("neither a folder nor a regular file: %w", ErrUnknownFormat)
	}
	if errors.Is(err, readat.ErrPointer) {
		return nil, fmt.Errorf("%w: %w", readat.ErrPointer, ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	magic := make([]byte, min(size, int64(len(ggufMagic))))
	if err := readat.Full(file, magic, 0); err != nil {
		file.Close()
		return nil, err
	}
	if string(magic) == ggufMagic {
		checkpoint, err := newGGUF(file, size, filepath.Base(path))
		if err != nil {
			file.Close()
			return nil, err
		}
		checkpoint.closer = file
		return checkpoint, nil
	}
	if strings.EqualFold(filepath.Ext(path), ".gguf") {
		file.Close()
		return nil, fmt.Errorf("begins with %q, a GGUF file begins with %q: fetch it again: %w", magic, ggufMagic, ErrInvalid)
	}
	checkpoint, err := newLlama2c(file, size, filepath.Base(path))
	if err != nil {
		file.Close()
		return nil, err
	}
	checkpoint.closer = file
	return checkpoint, nil
}
