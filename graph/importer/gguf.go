package importer

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"zeroth/internal/gguf"
)

// ggufMagic begins every GGUF file.
const ggufMagic = "GGUF"

// ggufModel is an open GGUF file of a language model.
type ggufModel struct {
	file    *gguf.File
	closer  io.Closer
	name    string
	config  Config
	weights map[string]string // the file's names, by those of Config.Weights
	// tensors are Config.Weights without their layers, for looking names up.
	tensors ggufTensors
}

// newGGUF checks a file of size bytes. Only its header and, of a Llama 3, its
// table of frequencies are read.
func newGGUF(source io.ReaderAt, size int64, name string) (*ggufModel, error) {
	file, err := gguf.New(source, size)
	if err != nil {
		return nil, ggufError(err)
	}
	m := &ggufModel{file: file, name: name, weights: make(map[string]string)}
	if m.config, err = readGGUFConfig(file); err != nil {
		return nil, err
	}
	m.tensors = newGGUFTensors(m.config)
	for _, tensor := range file.Tensors() {
		if tensor.Name == ggufFrequencies && m.config.Rotary() {
			continue // readGGUFConfig has made it part of the config
		}
		weight, known := m.tensors.weight(tensor.Name)
		if !known {
			return nil, fmt.Errorf("tensor %q: a %s model of %d layers has no such weight in Zeroth: give the Hugging Face folder that the file was made from: %w",
				tensor.Name, m.config.Architecture, m.config.Layers, ErrUnsupported)
		}
		if !tensor.Type.Decodable() {
			return nil, fmt.Errorf("tensor %q: type %v: convert the file with llama.cpp to F32, F16, BF16, Q8_0, Q4_0 … Q5_1 or Q2_K … Q6_K: %w",
				tensor.Name, tensor.Type, ErrUnsupported)
		}
		m.weights[weight] = tensor.Name
	}
	return m, m.check()
}

// check wants every weight that the config names, in its shape. It stops at the
// first that is missing, so that a header may claim any number of layers.
func (m *ggufModel) check() error {
	for weight := range m.config.Weights() {
		name, found := m.weights[weight.Name]
		if !found {
			return fmt.Errorf("tensor %q: missing, want shape %v for the %d layers that the metadata name: fetch the file again: %w",
				m.tensors.stored(weight.Name), weight.Shape, m.config.Layers, ErrInvalid)
		}
		if tensor, _ := m.file.Lookup(name); !slices.Equal(tensor.Shape, weight.Shape) {
			return fmt.Errorf("tensor %q: found shape %v, want %v by the metadata: %w", name, tensor.Shape, weight.Shape, ErrInvalid)
		}
	}
	return nil
}

func (m *ggufModel) Config() Config  { return m.config }
func (m *ggufModel) Names() []string { return m.config.weightNames() }
func (m *ggufModel) Source() string  { return "GGUF " + m.name }

func (m *ggufModel) Close() error {
	if m.closer == nil {
		return nil
	}
	return m.closer.Close()
}

func (m *ggufModel) Tensor(name string) (Info, error) {
	stored, found := m.weights[name]
	if !found {
		return Info{}, fmt.Errorf("tensor %q: %w", name, ErrNotFound)
	}
	tensor, _ := m.file.Lookup(stored)
	return Info{Shape: tensor.Shape, DType: tensor.Type.String()}, nil
}

func (m *ggufModel) ReadF32(name string, dst []float32) error { return readWhole(m, name, dst) }

// ReadRows puts the rows of a Llama's q and k back in Hugging Face's order, rather
// than that Config.Interleaved said so: the program, its LoRA sites and what PEFT
// gets of them are then those of the Hugging Face checkpoint.
func (m *ggufModel) ReadRows(name string, first int, dst []float32) error {
	info, err := m.Tensor(name)
	if err != nil {
		return err
	}
	rowLength, err := checkRows(name, info.Shape, first, len(dst))
	if err != nil {
		return err
	}
	stored := m.weights[name]
	if !m.tensors.Paired(name) {
		return ggufError(m.file.ReadPart(stored, int64(first)*int64(rowLength), dst))
	}
	for row := first; len(dst) > 0; row++ {
		from := int64(pairedRow(row, m.config.HeadDim)) * int64(rowLength)
		if err := m.file.ReadPart(stored, from, dst[:rowLength]); err != nil {
			return ggufError(err)
		}
		dst = dst[rowLength:]
	}
	return nil
}

// pairedRow is where the file has a row of a matrix [heads·headDim, inputs]: of
// each head row i is its row 2i, row headDim/2 + i its row 2i + 1.
func pairedRow(row, headDim int) int {
	within := row % headDim
	return row - within + within%(headDim/2)*2 + within/(headDim/2)
}

// ggufError adds this package's sentinel to an error of the container's.
func ggufError(err error) error {
	for _, pair := range [...][2]error{
		{gguf.ErrInvalid, ErrInvalid},
		{gguf.ErrUnsupported, ErrUnsupported},
		{gguf.ErrType, ErrInvalid},
		{gguf.ErrArgument, ErrArgument},
	} {
		if errors.Is(err, pair[0]) {
			return fmt.Errorf("%w: %w", pair[1], err)
		}
	}
	return err
}
