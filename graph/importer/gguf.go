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
		weight, known := m.tensors.weight(m.config, tensor.Name)
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

func (m *ggufModel) ReadF32(name string, dst []float32) error {
	stored, found := m.weights[name]
	if !found {
		return fmt.Errorf("tensor %q: %w", name, ErrNotFound)
	}
	heads := m.pairedHeads(name)
	into := dst
	if tensor, _ := m.file.Lookup(stored); heads > 0 && tensor.Elements() == int64(len(dst)) {
		into = make([]float32, len(dst))
	}
	if err := m.file.ReadF32(stored, into); err != nil {
		return ggufError(err)
	}
	if heads > 0 {
		splitPairs(dst, into, heads, m.config.HeadDim)
	}
	return nil
}

// pairedHeads returns the number of heads in a matrix whose rows the file has
// in another order than Hugging Face, 0 for all others. llama.cpp's RoPE turns
// neighbours together in a Llama, halves in a Qwen; its converter reorders a
// Llama's q and k to that end. Reading puts the rows back, rather than that
// Config.Interleaved said so: the program, its LoRA sites and what PEFT gets of
// them are then those of the Hugging Face checkpoint.
func (m *ggufModel) pairedHeads(name string) int {
	if m.config.Architecture != "llama" {
		return 0
	}
	switch layer, suffix := splitName(llamaLayers, name); {
	case layer >= 0 && suffix == queryName:
		return m.config.Heads
	case layer >= 0 && suffix == keyName:
		return m.config.KVHeads
	}
	return 0
}

// splitPairs reorders the rows of each head: dst row i = src row 2i, dst row
// headDim/2 + i = src row 2i + 1. Both are [heads·headDim, inputs].
func splitPairs(dst, src []float32, heads, headDim int) {
	inputs := len(src) / (heads * headDim)
	for to := range heads * headDim {
		head, row := to/headDim, to%headDim
		from := head*headDim + row%(headDim/2)*2 + row/(headDim/2)
		copy(dst[to*inputs:(to+1)*inputs], src[from*inputs:(from+1)*inputs])
	}
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
