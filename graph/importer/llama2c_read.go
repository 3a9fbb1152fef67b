package importer

import (
	"encoding/binary"
	"fmt"
	"math"

	"zeroth/internal/readat"
)

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

func (c *llama2c) ReadF32(name string, dst []float32) error { return readWhole(c, name, dst) }

func (c *llama2c) ReadRows(name string, first int, dst []float32) error {
	place, offset, err := c.find(name)
	if err != nil {
		return err
	}
	rowLength, err := checkRows(name, place.shape, first, len(dst))
	if err != nil {
		return err
	}
	from := int64(first) * int64(rowLength)
	if place.groups > 0 {
		err = c.readQuantised(dst, from, offset, offset+elements(place.shape), place.groups)
	} else {
		err = c.readFloats(dst, offset+4*from)
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
	return readat.Pieces(c.source, offset, 4*int64(len(dst)), 4, func(piece []byte) {
		for i := range len(piece) / 4 {
			dst[i] = littleFloat(piece[4*i:])
		}
		dst = dst[len(piece)/4:]
	})
}

// readQuantised computes, for int8 values q and float32 scales s that begin at
// the offsets valuesAt and scalesAt, one scale for each groupSize values,
//
//	dst[i] = float32(q[from+i]) * s[(from+i)/groupSize]
//
// A group may be longer than a piece, or than a row of the matrix.
func (c *llama2c) readQuantised(dst []float32, from, valuesAt, scalesAt, groupSize int64) error {
	if len(dst) == 0 {
		return nil
	}
	at := 0
	err := readat.Pieces(c.source, valuesAt+from, int64(len(dst)), 1, func(piece []byte) {
		for _, value := range piece {
			dst[at] = float32(int8(value))
			at++
		}
	})
	if err != nil {
		return err
	}
	firstGroup, lastGroup := from/groupSize, (from+int64(len(dst))-1)/groupSize
	group := firstGroup
	return readat.Pieces(c.source, scalesAt+4*firstGroup, 4*(lastGroup-firstGroup+1), 4, func(piece []byte) {
		for ; len(piece) > 0; piece, group = piece[4:], group+1 {
			scale := littleFloat(piece)
			begin, end := max(group*groupSize-from, 0), min((group+1)*groupSize-from, int64(len(dst)))
			for i := begin; i < end; i++ {
				dst[i] *= scale
			}
		}
	})
}

func littleFloat(bytes []byte) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(bytes))
}
