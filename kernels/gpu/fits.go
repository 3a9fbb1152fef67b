package gpu

import (
	"encoding/binary"
	"math"

	"zeroth/runtime/op"
)

// What products by matrices of f16 decode to: elements without the scales of rows.

const (
	// mostHalf is the largest value of f16.
	mostHalf = 65504
	// leastLargest is the least that the largest element of a matrix may be. Elements
	// of f16 are at worst 2⁻²⁵ off where they are below 2⁻¹⁴: 2⁻¹² of this one, which
	// is what rounding to 11 bits costs the largest itself.
	leastLargest = 1.0 / (1 << 13)
	// mostHalfScale is the largest f16 of which eight are no more than mostHalf, as
	// its bits: 8188.
	mostHalfScale = 27<<10 | 1023
)

// fitsHalf reports whether a weight matrix in panels, whose bytes are given, can be
// decoded to f16. Levels of nf4 times the codes of their scales, and codes of i8,
// always can.
func fitsHalf(t op.Type, data []byte) bool {
	p := t.Panels()
	switch t.DType {
	case op.F32, op.BF16:
		largest := math.Float32frombits(largestBits(data[:p.Scales], t.DType))
		return largest == 0 || largest >= leastLargest && largest <= mostHalf
	case op.Q4:
		for scales := data[p.Scales:p.RowScales]; len(scales) > 0; scales = scales[2:] {
			if binary.LittleEndian.Uint16(scales)&0x7fff > mostHalfScale {
				return false
			}
		}
	}
	return true
}

// largestBits are the bits of the largest |w| among the words of a matrix of f32 or
// bf16; of a NaN, where there is one.
func largestBits(words []byte, d op.DType) (most uint32) {
	for ; len(words) > 0; words = words[4:] {
		w := binary.LittleEndian.Uint32(words)
		if d == op.BF16 {
			most = max(most, w&0x7fff0000, w<<16&0x7fff0000)
		} else {
			most = max(most, w&0x7fffffff)
		}
	}
	return most
}

// noteRange notes of a constant's parts whether products by matrices of f16 can
// decode it, where the device has those for it.
func (s *session) noteRange(m *mirror, data []byte) {
	a := s.ops.device.Limits().Arithmetic
	if way := a.multiplierFor(m.tensor.Type); way == nil || way.bytes {
		return
	}
	if !fitsHalf(m.tensor.Type, data) {
		for i := range m.parts {
			m.parts[i].beyondHalf = true
		}
	}
}

// multiplier is the way to multiply with a weight matrix that lies in parts, or nil:
// another than f16 where its elements are beyond that.
func (b *builder) multiplier(w op.Type, parts []part) *multiplier {
	a := b.limits.Arithmetic
	if parts[0].beyondHalf {
		a.Half = Matrix{}
	}
	return a.multiplierFor(w)
}
