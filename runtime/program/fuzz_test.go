package program

import (
	"bytes"
	"encoding/binary"
	"testing"

	"zeroth/runtime/op"
)

// FuzzParse gives hostile bytes to Parse, as they are or with hashes that fit.
func FuzzParse(f *testing.F) {
	golden := readGolden(f)
	small := assemble(&Program{Constants: []Constant{{"a", f32(op.C(2)), floats(2)}}}, nil)
	withChoices := sample()
	choices(withChoices, []int32{0, 1, 4}, []int32{0, 2}, []int32{1})
	for _, data := range [][]byte{
		golden, small, assemble(&Program{}, nil), assemble(withChoices, nil), assemble(packed(f), nil), golden[:len(golden)/2],
	} {
		f.Add(data, false)
		f.Add(data, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, fit bool) {
		if fit {
			data = reseal(data)
		}
		checkParsed(t, data)
	})
}

// FuzzHeader gives hostile headers to the decoder, and supplies what segments
// those that can be read need: it reaches the checks of Verify, which Parse
// and Verify must decide alike.
func FuzzHeader(f *testing.F) {
	withChoices := sample()
	choices(withChoices, []int32{0, 1, 4}, []int32{0, 2}, []int32{1})
	for _, p := range []*Program{sample(), withChoices, packed(f), {}} {
		header, _ := split(assemble(p, nil))
		f.Add(header, []byte{})
		f.Add(header, []byte{0x40, 0, 1, 0x80, 2, 3})
	}
	f.Fuzz(func(t *testing.T, header, edits []byte) {
		// Each edit is a place and the byte to put there, so that a few bytes
		// of input reach far into a long header without moving what follows.
		header = bytes.Clone(header)
		for ; len(edits) >= 3 && len(header) > 0; edits = edits[3:] {
			header[int(binary.LittleEndian.Uint16(edits))%len(header)] = edits[2]
		}
		p, segments, err := decodeHeader(header)
		if err != nil {
			return
		}
		if !bytes.Equal(encodeHeader(p, segments), header) {
			t.Fatal("the header read is not the header written")
		}
		if !supply(p) {
			return
		}
		verified := Verify(p)
		data := assemble(p, nil)
		if _, parsed := Parse(data); (parsed == nil) != (verified == nil) {
			t.Fatalf("Verify: %v, Parse: %v", verified, parsed)
		}
		if verified == nil {
			checkParsed(t, data)
		}
	})
}

// packed is a sound program with a weight of each packed type, the last panel and
// the last group of each ragged.
func packed(t testing.TB) *Program {
	t.Helper()
	const M, K = 18, 70
	m := Method{Name: "forward", Values: []Value{{Name: "x", Kind: Input, Type: f32(op.S(op.Tokens, 0), op.C(K))}}}
	p := &Program{}
	for _, d := range op.WeightTypes() {
		if !d.Packed() {
			continue
		}
		w := panels(op.Type{DType: d, Shape: []op.Dim{op.C(M), op.C(K)}})
		at := len(m.Values)
		m.Values = append(m.Values, Value{Name: d.String(), Kind: ConstRef, Ref: len(p.Constants), Type: w},
			Value{Name: "y of " + d.String(), Kind: Temp, Type: f32(op.S(op.Tokens, 0), op.C(M))})
		m.Nodes = append(m.Nodes, Node{Op: op.Linear, Name: "by " + d.String(), In: []int{0, at}, Out: []int{at + 1}})
		m.Outputs = append(m.Outputs, at+1)
		p.Constants = append(p.Constants, Constant{Name: d.String(), Type: w})
	}
	p.Methods = []Method{m}
	if !supply(p) {
		t.Fatal("the packed weights are malformed")
	}
	if err := Verify(p); err != nil || len(p.Constants) < 4 {
		t.Fatalf("%d packed weights: %v", len(p.Constants), err)
	}
	return p
}

// supply gives constants and tokenizer data of the right size, or false where
// types are malformed or take too much memory for a test.
func supply(p *Program) bool {
	for i := range p.Constants {
		k := &p.Constants[i]
		size, err := k.Type.Bytes(op.Extents{})
		if k.Type.Check() != nil || err != nil || size > 1<<16 {
			return false
		}
		k.Data = make([]byte, size)
	}
	if p.Tokenizer.Kind != "" {
		p.Tokenizer.Data = []byte("abc")
	}
	return true
}
