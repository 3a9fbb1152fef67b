package importer

import (
	"encoding/binary"
	"fmt"
	"math"

	"zeroth/internal/readat"
)

// chunkElements bounds the elements read at once.
const chunkElements = 64 << 10

func (c *llama2c) Config() Config  { return c.config }
func (c *llama2c) Names() []string { return c.config.weightNames() }
func (c *llama2c) Source() string  { return fmt.Sprintf("llama2.c v%d %s", c.version, c.name) }

func (c *llama2c) Close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

func (c *llama2c) Tensor(name string) (Info, error) {
	place, _, err := c.find(name)
	if err != nil {
		return Info{}, err
	}
	if place.groups > 0 {
		return Info{Shape: place.shape, DType: quantisedDType}, nil
	}
	return Info{Shape: place.shape, DType: "F32"}, nil
}

func (c *llama2c) ReadF32(name string, dst []float32) error {
	place, offset, err := c.find(name)
	if err != nil {
		return err
	}
	if int64(len(dst)) != elements(place.shape) {
		return fmt.Errorf("tensor %q: buffer for %d elements, shape %v: %w", name, len(dst), place.shape, ErrArgument)
	}
	if place.groups > 0 {
		err = c.readQuantised(dst, offset, place.groups)
	} else {
		err = c.readFloats(dst, offset)
	}
	if err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	return nil
}

// find returns a weight's section and the offset of its first byte.
func (c *llama2c) find(name string) (section, int64, error) {
	layer, suffix := splitName(llamaLayers, name)
	for _, place := range c.sections {
		layered := place.stride > 0
		if place.name == suffix && layered == (layer >= 0) && layer < c.config.Layers {
			return place, place.offset + int64(max(layer, 0))*place.stride, nil
		}
	}
	return section{}, 0, fmt.Errorf("tensor %q: %w", name, ErrNotFound)
}

// readFloats reads len(dst) little-endian float32.
func (c *llama2c) readFloats(dst []float32, offset int64) error {
	buffer := make([]byte, 4*min(len(dst), chunkElements))
	for len(dst) > 0 {
		count := min(len(dst), chunkElements)
		chunk := buffer[:4*count]
		if err := readat.Full(c.source, chunk, offset); err != nil {
			return err
		}
		for i := range count {
			dst[i] = littleFloat(chunk[4*i:])
		}
		dst, offset = dst[count:], offset+int64(len(chunk))
	}
	return nil
}

// readQuantised computes, for len(dst) int8 values q at offset and the scales
// s behind them, one for each groupSize values,
//
//	dst[i] = float32(q[i]) * s[i/groupSize]
//
// A group may be longer than a chunk, or than a row of the matrix.
func (c *llama2c) readQuantised(dst []float32, offset, groupSize int64) error {
	total := int64(len(dst))
	scalesAt := offset + total
	values := make([]byte, min(total, chunkElements))
	scales := make([]byte, 4*min(total/groupSize, chunkElements/groupSize+2))
	for first := int64(0); first < total; first += int64(len(values)) {
		count := min(total-first, int64(len(values)))
		if err := readat.Full(c.source, values[:count], offset+first); err != nil {
			return err
		}
		firstGroup := first / groupSize
		groups := (first+count-1)/groupSize - firstGroup + 1
		if err := readat.Full(c.source, scales[:4*groups], scalesAt+4*firstGroup); err != nil {
			return err
		}
		for i := range count {
			scale := littleFloat(scales[4*((first+i)/groupSize-firstGroup):])
			dst[first+i] = float32(int8(values[i])) * scale
		}
	}
	return nil
}

func littleFloat(bytes []byte) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(bytes))
}
