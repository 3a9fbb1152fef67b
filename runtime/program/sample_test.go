package program

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"zeroth/runtime/op"
)

func f32(dims ...op.Dim) op.Type { return op.Type{DType: op.F32, Shape: dims} }
func i32(dims ...op.Dim) op.Type { return op.Type{DType: op.I32, Shape: dims} }
func u32(dims ...op.Dim) op.Type { return op.Type{DType: op.U32, Shape: dims} }

func panels(t op.Type) op.Type { t.Layout = op.Panels16; return t }
func wide(t op.Type) op.Type   { t.Wide = true; return t }

// floats are n f32 elements that differ from one another.
func floats(n int) []byte {
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(i)*0.25-1))
	}
	return b
}

func integers(values ...int32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// panelFloats are the bytes of an [m, k] matrix in the Panels16 layout.
func panelFloats(m, k int) []byte {
	b := make([]byte, (m+15)/16*16*k*4)
	for row := range m {
		for column := range k {
			at := row/16*16*k + column*16 + row%16
			binary.LittleEndian.PutUint32(b[4*at:], math.Float32bits(float32(row*k+column)))
		}
	}
	return b
}

// Indices into the values of the sample's first method.
const (
	ids, embedding, x, scale, normed, upW, up, downW, slotA, slotB, seed, first, eps, y, picks, picked = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
)

// sample is a small program with something of everything. The golden file is
// made from it: what it holds must not change.
func sample() *Program {
	n := op.S(op.Tokens, 0)
	return &Program{
		Meta: []Meta{{"arch", "sample"}, {"note", "two\nlines"}},
		Constants: []Constant{
			{"embedding", f32(op.C(7), op.C(4)), floats(28)},
			{"norm", f32(op.C(4)), floats(4)},
			{"up.weight", panels(f32(op.C(18), op.C(4))), panelFloats(18, 4)},
			{"down.weight", f32(op.C(4), op.C(18)), floats(72)},
			{"picks", i32(op.C(3)), integers(0, 6, 2)},
		},
		Slots: []Slot{
			{Name: "down.A", Type: f32(op.C(2), op.C(18))},
			{Name: "down.B", Type: f32(op.C(4), op.C(2))},
		},
		Sites: []Site{
			{ID: 5, Name: "model.layers.0.mlp.down_proj", Module: "down", Layer: 0, Out: 4, In: 18, A: 0, B: 1},
			{ID: 3, Name: "model.layers.0.mlp.up_proj", Module: "up", Layer: 0, Out: 18, In: 4, A: -1, B: -1},
			{ID: math.MaxUint32, Name: "lm_head", Module: "head", Layer: -1, Out: 7, In: 4, A: -1, B: -1},
		},
		Methods:   []Method{sampleForward(n), sampleUpdate()},
		Tokenizer: Tokenizer{Kind: "letters", Data: []byte("abc")},
	}
}

func sampleForward(n op.Dim) Method {
	return Method{
		Name: "forward",
		Values: []Value{
			{"ids", Input, 0, i32(n)},
			{"embedding", ConstRef, 0, f32(op.C(7), op.C(4))},
			{"x", Temp, 0, f32(n, op.C(4))},
			{"norm", ConstRef, 1, f32(op.C(4))},
			{"normed", Temp, 0, f32(n, op.C(4))},
			{"up.weight", ConstRef, 2, panels(f32(op.C(18), op.C(4)))},
			{"up", Temp, 0, f32(n, op.C(18))},
			{"down.weight", ConstRef, 3, f32(op.C(4), op.C(18))},
			{"A", SlotRef, 0, f32(op.C(2), op.C(18))},
			{"B", SlotRef, 1, f32(op.C(4), op.C(2))},
			{"seed", Input, 0, u32(op.C(2))},
			{"first", Input, 0, i32(op.C(1))},
			{"eps", Input, 0, f32(op.C(1))},
			{"y", Temp, 0, wide(f32(n, op.C(4)))},
			{"", ConstRef, 4, i32(op.C(3))},
			{"picked", Temp, 0, f32(op.C(3), op.C(4))},
		},
		Nodes: []Node{
			{op.Gather, "embed", nil, []int{embedding, ids}, []int{x}},
			{op.RMSNormalization, "norm", op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []int{x, scale}, []int{normed}},
			{op.Linear, "up", nil, []int{normed, upW}, []int{up}},
			{
				op.LinearLoRA, "model.layers.0.mlp.down_proj",
				op.Attrs{op.IntAttr("site", 5), op.FloatAttr("scale", 2), op.IntAttr("sampler", 1)},
				[]int{up, downW, slotA, slotB, seed, first, eps},
				[]int{y},
			},
			{op.Gather, "pick", nil, []int{embedding, picks}, []int{picked}},
		},
		Outputs: []int{y, picked},
	}
}

func sampleUpdate() Method {
	return Method{
		Name: "update",
		Values: []Value{
			{"B", SlotRef, 1, f32(op.C(4), op.C(2))},
			{"seed", Input, 0, u32(op.C(2))},
			{"g", Input, 0, f32(op.S(op.Queries, 0))},
			{"lr", Input, 0, f32(op.C(1))},
		},
		Nodes: []Node{{
			op.UpdateLoRA, "model.layers.0.mlp.down_proj",
			op.Attrs{op.IntAttr("site", 5), op.IntAttr("sampler", 1)},
			[]int{0, 1, 2, 3},
			nil,
		}},
	}
}

// assemble makes a file of any program, sound or not, with right hashes.
// tamper may change the segments as the header states them. It gives nil
// where a node's op is unknown, which has no version to write.
func assemble(p *Program, tamper func(segments []segment)) []byte {
	for _, m := range p.Methods {
		for _, n := range m.Nodes {
			if _, ok := op.Lookup(n.Op); !ok {
				return nil
			}
		}
	}
	parts := make([][]byte, 0, len(p.Constants)+1)
	for _, k := range p.Constants {
		parts = append(parts, k.Data)
	}
	if p.Tokenizer.Kind != "" {
		parts = append(parts, p.Tokenizer.Data)
	}
	segments := make([]segment, len(parts))
	for i, b := range parts {
		segments[i] = segment{length: uint64(len(b)), sum: sha256.Sum256(b)}
	}
	headerEnd := uint64(prologueBytes + len(encodeHeader(p, segments)))
	total := layOut(segments, headerEnd)
	body := make([]byte, total-headerEnd)
	for i, b := range parts {
		copy(body[segments[i].offset-headerEnd:], b)
	}
	if tamper != nil {
		tamper(segments)
	}
	return seal(encodeHeader(p, segments), body)
}

// seal puts a prologue with the right lengths and hash before header and body.
func seal(header, body []byte) []byte {
	front := prologue{uint64(len(header)), uint64(prologueBytes + len(header) + len(body)), sha256.Sum256(header)}
	data := alignedBytes(int(front.fileLength))[:0]
	return append(append(append(data, front.encode()...), header...), body...)
}

// split takes a file apart.
func split(data []byte) (header, body []byte) {
	n := prologueBytes + int(binary.LittleEndian.Uint64(data[16:]))
	return bytes.Clone(data[prologueBytes:n]), bytes.Clone(data[n:])
}

// reseal makes all of a damaged file's hashes and the file length right again,
// as far as its header can be read, so that what lies behind them is reached.
func reseal(data []byte) []byte {
	if len(data) < prologueBytes {
		return data
	}
	headerLength := min(binary.LittleEndian.Uint64(data[16:]), uint64(len(data)-prologueBytes))
	header := bytes.Clone(data[prologueBytes : prologueBytes+headerLength])
	body := data[prologueBytes+headerLength:]
	if _, segments, err := decodeHeader(header); err == nil {
		from := 0
		for _, s := range segments {
			if s.offset > uint64(len(data)) || s.length > uint64(len(data))-s.offset {
				break
			}
			at := from + bytes.Index(header[from:], s.sum[:])
			sum := sha256.Sum256(data[s.offset : s.offset+s.length])
			from = at + copy(header[at:], sum[:])
		}
	}
	return seal(header, body)
}

// fieldAt finds where in a sound header a bounded integer field lies. Filled
// with ones from any byte of the field on, the header must be refused because
// of it, and the last such byte is the field's last.
func fieldAt(t *testing.T, header []byte, field string) int {
	t.Helper()
	for at := len(header) - 1; at >= 0; at-- {
		damaged := append(bytes.Clone(header[:at]), bytes.Repeat([]byte{0xff}, len(header)-at)...)
		if _, _, err := decodeHeader(damaged); err != nil && strings.HasPrefix(err.Error(), field+": ") {
			return at - 7
		}
	}
	t.Fatalf("no field %s in the header", field)
	return 0
}
