package importer

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"zeroth/internal/readat"
)

// A llama2.c file begins, little-endian, with
//
//	v0       7 int32: dim, hidden_dim, n_layers, n_heads, n_kv_heads,
//	         vocab_size (negative: the head is not tied), max_seq_len
//	v1, v2   uint32 magic "ak42", int32 version, the same 7 int32, a byte
//	         (1: tied), for v2 an int32 group size, zeros up to byte 256
//
// and goes on with the weights, all layers of a kind together, in the order of
// layoutV0 or layoutV1. They are float32, but for v2's matrices: each is all
// its int8 values followed by a float32 scale for each group of consecutive
// values. (Source: export.py and runq.c of karpathy/llama2.c.)
const (
	llama2cMagic   = 0x616b3432
	sizesV0        = 0 // where the 7 int32 begin
	sizesV1        = 8
	tiedByte       = 36
	groupSizeAt    = 37
	headerBytesV0  = 28
	headerBytesV1  = 256
	quantisedDType = "Q8"
	ropeTables     = "" // stands for v0's cosines and sines, which are skipped
)

func layoutV0() []string {
	return []string{
		embedName, inputNormName, queryName, keyName, valueName, outputName,
		postNormName, gateName, downName, upName, normName, ropeTables, headName,
	}
}

func layoutV1() []string {
	return []string{
		inputNormName, postNormName, normName, embedName, queryName, keyName,
		valueName, outputName, gateName, downName, upName, headName,
	}
}

// section is where one kind of weight lies.
type section struct {
	name   string // a whole name, or a layer's suffix
	shape  []int
	offset int64 // of the first byte, or of layer 0's
	stride int64 // bytes from one layer to the next; 0 outside the layers
	groups int64 // int8 values a scale serves; 0 for float32
}

// llama2c is an open llama2.c file.
type llama2c struct {
	source   io.ReaderAt
	closer   io.Closer
	name     string
	version  int
	config   Config
	sections []section
}

// newLlama2c checks a file of size bytes. Only its header is read.
func newLlama2c(source io.ReaderAt, size int64, name string) (*llama2c, error) {
	header := make([]byte, min(size, headerBytesV1))
	if err := readat.Full(source, header, 0); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := refuseOthers(header); err != nil {
		return nil, err
	}
	c := &llama2c{source: source, name: name}
	var end int64
	var err error
	if binary.LittleEndian.Uint32(header) == llama2cMagic {
		end, err = c.readHeaderV1(header)
	} else {
		end, err = c.readHeaderV0(header)
	}
	if err != nil {
		return nil, fmt.Errorf("llama2.c v%d: %w", c.version, err)
	}
	if end != size {
		return nil, fmt.Errorf("llama2.c v%d: file of %d bytes, its header asks for %d: fetch or export it again: %w", c.version, size, end, ErrInvalid)
	}
	return c, nil
}

// refuseOthers recognises files that users mistake for llama2.c ones, and
// what is too short for any.
func refuseOthers(header []byte) error {
	if len(header) < headerBytesV0 {
		return fmt.Errorf("file of %d bytes: %w", len(header), ErrUnknownFormat)
	}
	switch start := string(header[:4]); {
	case start == "PK\x03\x04":
		return fmt.Errorf("a PyTorch file: save the model as safetensors: %w", ErrUnsupported)
	case header[8] == '{' && header[4]|header[5]|header[6]|header[7] == 0:
		return fmt.Errorf("a safetensors file: give the folder that holds it and its config.json: %w", ErrUnknownFormat)
	case start[0] == '{':
		return fmt.Errorf("a JSON file: give the folder that holds it: %w", ErrUnknownFormat)
	}
	return nil
}

// readHeaderV0 reads a v0 header and returns where the file should end.
func (c *llama2c) readHeaderV0(header []byte) (int64, error) {
	c.config = llama2cConfig(header[sizesV0:])
	c.config.Tied = c.config.VocabSize > 0
	if !c.config.Tied {
		c.config.VocabSize = -c.config.VocabSize
	}
	if err := c.checkSizes(); err != nil {
		// Without a magic number any file gets here.
		return 0, fmt.Errorf("%w: %w", err, ErrUnknownFormat)
	}
	return c.lay(layoutV0(), headerBytesV0, 0), nil
}

// readHeaderV1 reads a header of v1 or v2 and returns where the file should
// end.
func (c *llama2c) readHeaderV1(header []byte) (int64, error) {
	c.version = int(int32(binary.LittleEndian.Uint32(header[4:])))
	if c.version != 1 && c.version != 2 {
		return 0, fmt.Errorf("version %d: versions 0, 1 and 2 are known: %w", c.version, ErrUnsupported)
	}
	if len(header) < headerBytesV1 {
		return 0, fmt.Errorf("header of %d bytes, want %d: fetch the file again: %w", len(header), headerBytesV1, ErrInvalid)
	}
	c.config = llama2cConfig(header[sizesV1:])
	tied := header[tiedByte]
	if tied > 1 {
		return 0, fmt.Errorf("shared_classifier %d: want 0 or 1: %w", tied, ErrInvalid)
	}
	c.config.Tied = tied == 1
	if err := c.checkSizes(); err != nil {
		return 0, err
	}
	padding, groupSize := header[groupSizeAt:], int64(0)
	if c.version == 2 {
		groupSize = int64(int32(binary.LittleEndian.Uint32(padding)))
		padding = padding[4:]
		if err := c.checkGroups(groupSize); err != nil {
			return 0, err
		}
	}
	if at := slices.IndexFunc(padding, func(b byte) bool { return b != 0 }); at >= 0 {
		return 0, fmt.Errorf("header byte %d is not zero: made by a later llama2.c? %w", headerBytesV1-len(padding)+at, ErrInvalid)
	}
	return c.lay(layoutV1(), headerBytesV1, groupSize), nil
}

// llama2cConfig reads the seven sizes. What the format does not store is
// fixed in llama2.c's own source.
func llama2cConfig(sizes []byte) Config {
	size := func(i int) int { return int(int32(binary.LittleEndian.Uint32(sizes[4*i:]))) }
	return Config{
		Architecture: "llama",
		HiddenSize:   size(0), IntermediateSize: size(1),
		Layers: size(2), Heads: size(3), KVHeads: size(4),
		VocabSize: size(5), MaxPositions: size(6),
		NormEps: 1e-5, RopeTheta: 10000, Interleaved: true,
		BOS: 1, EOS: 2,
	}
}

// checkSizes derives the head's size and checks the config.
func (c *llama2c) checkSizes() error {
	config := &c.config
	if config.Heads < 1 || config.HiddenSize%config.Heads != 0 {
		return fmt.Errorf("dim %d is no multiple of n_heads %d: %w", config.HiddenSize, config.Heads, ErrInvalid)
	}
	config.HeadDim = config.HiddenSize / config.Heads
	if config.VocabSize <= config.EOS { // a vocabulary of bare bytes or less
		config.BOS, config.EOS = -1, -1
	}
	err := config.check(fieldNames{
		hidden: "dim", intermediate: "hidden_dim", layers: "n_layers", heads: "n_heads",
		kvHeads: "n_kv_heads", headDim: "dim / n_heads", vocab: "vocab_size", positions: "max_seq_len",
	})
	if err != nil {
		return err
	}
	return config.checkRotary("dim / n_heads")
}

// checkGroups checks that each matrix is a whole number of groups.
func (c *llama2c) checkGroups(groupSize int64) error {
	if groupSize < 1 {
		return fmt.Errorf("group size %d: want at least 1: %w", groupSize, ErrInvalid)
	}
	for _, name := range layoutV1() {
		if shape := c.config.shape(name); len(shape) == 2 && elements(shape)%groupSize != 0 {
			return fmt.Errorf("group size %d does not divide %s %v: %w", groupSize, name, shape, ErrInvalid)
		}
	}
	return nil
}

// lay places the weights one after another from offset on and returns where
// they end. groupSize is 0 for a file without int8 matrices.
func (c *llama2c) lay(layout []string, offset, groupSize int64) int64 {
	for _, name := range layout {
		if name == ropeTables {
			// max_seq_len rows of HeadDim/2 cosines, and as many sines.
			offset += int64(c.config.MaxPositions) * int64(c.config.HeadDim) * 4
			continue
		}
		if name == headName && c.config.Tied {
			continue
		}
		place := section{name: name, shape: c.config.shape(name), offset: offset}
		bytes := 4 * elements(place.shape)
		if groupSize > 0 && len(place.shape) == 2 {
			place.groups = groupSize
			bytes = elements(place.shape) + 4*(elements(place.shape)/groupSize)
		}
		if !slices.Contains([]string{embedName, normName, headName}, name) {
			place.stride = bytes
			bytes *= int64(c.config.Layers)
		}
		c.sections = append(c.sections, place)
		offset += bytes
	}
	return offset
}
