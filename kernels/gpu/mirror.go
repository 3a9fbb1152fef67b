package gpu

import (
	"encoding/binary"
	"math"
	"slices"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// mirror is a tensor of host memory and its parts on the device.
type mirror struct {
	tensor *kernel.Tensor
	parts  []part
}

// spans are the places of the parts, to be filled in.
func (m *mirror) spans() []*Span {
	list := make([]*Span, len(m.parts))
	for i := range m.parts {
		list[i] = &m.parts[i].span
	}
	return list
}

// crossing are the bytes that upload and download need to convert its parts.
func (m *mirror) crossing() (n int64) {
	for _, p := range m.parts {
		if p.half {
			n = max(n, p.span.Size)
		}
	}
	return n
}

// upload copies the elements of the moment that data holds to the device, and
// returns the number of bytes. Halves are made in crossing.
func (m *mirror) upload(d Device, data, crossing []byte) (int64, error) {
	moved := int64(0)
	for i := range m.parts {
		for k, p := range pieces(m.tensor, m.parts, i) {
			if p.bytes == 0 {
				continue
			}
			from := data[p.from : p.from+p.bytes]
			if k == rowScales && m.tensor.Type.DType == op.NF4 {
				from = dividedRowScales(from)
			}
			if m.parts[i].half {
				narrow(crossing, from)
				from = crossing[:p.bytes/2]
			}
			bytes := int64(len(from))
			if err := d.Upload(m.parts[i].span.Part(p.at, bytes), from); err != nil {
				return moved, err
			}
			moved += bytes
		}
	}
	return moved, nil
}

// download copies what the device has back to data, and returns the number of
// bytes.
func (m *mirror) download(d Device, data, crossing []byte) (int64, error) {
	moved := int64(0)
	for i := range m.parts {
		for _, p := range pieces(m.tensor, m.parts, i) {
			if p.bytes == 0 {
				continue
			}
			to := data[p.from : p.from+p.bytes]
			if m.parts[i].half {
				to = crossing[:p.bytes/2]
			}
			bytes := int64(len(to))
			if err := d.Download(to, m.parts[i].span.Part(p.at, bytes)); err != nil {
				return moved, err
			}
			if m.parts[i].half {
				widen(data[p.from:p.from+p.bytes], to)
			}
			moved += bytes
		}
	}
	return moved, nil
}

// dividedRowScales are the row scales of nf4 divided by 255·127, as quant
// divides them: a device's division need not round as IEEE 754 wants.
func dividedRowScales(scales []byte) []byte {
	scales = slices.Clone(scales)
	for i := 0; i+4 <= len(scales); i += 4 {
		scale := math.Float32frombits(binary.LittleEndian.Uint32(scales[i:]))
		binary.LittleEndian.PutUint32(scales[i:], math.Float32bits(scale/(255*127)))
	}
	return scales
}
