package gguf

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// The tests' own account of the block layouts: where, for each element, the
// bits of its code, scale and minimum lie. It decodes one element at a time,
// and encodes, and shares nothing with the decoders but half.

// field is width bits of a block: bit `at` of the code, from bit `shift` of
// byte `byte` on.
type field struct{ byte, shift, width, at int }

// account describes one type.
type account struct {
	t                Type
	elements, bytes  int
	d, minimum       int // bytes of the binary16s; minimum −1 where there is none
	code             func(i int) []field
	scale, low       func(i int) []field // of the group of element i; nil: 1, none
	bias, scaleBias  int                 // subtracted from the code, from the scale
	signedScale      bool                // int8
	signedCode       bool
	addsMinimum      bool // x = … + m rather than … − dmin·m[g]
	codeMax, lowMost int  // largest code; largest group minimum
}

func accounts() []account {
	nibbles := func(from int) func(int) []field {
		return func(i int) []field { return []field{{from + i%16, i / 16 * 4, 4, 0}} }
	}
	fives := func(top, from int) func(int) []field {
		return func(i int) []field { return []field{{from + i%16, i / 16 * 4, 4, 0}, {top + i/8, i % 8, 1, 4}} }
	}
	scaleK4 := func(i int) []field {
		if g := i / 32; g < 4 {
			return []field{{4 + g, 0, 6, 0}}
		} else {
			return []field{{8 + g, 0, 4, 0}, {g, 6, 2, 4}}
		}
	}
	lowK4 := func(i int) []field {
		if g := i / 32; g < 4 {
			return []field{{8 + g, 0, 6, 0}}
		} else {
			return []field{{8 + g, 4, 4, 0}, {4 + g, 6, 2, 4}}
		}
	}
	return []account{
		{t: Q4_0, elements: 32, bytes: 18, d: 0, minimum: -1, code: nibbles(2), bias: 8, codeMax: 15},
		{t: Q4_1, elements: 32, bytes: 20, d: 0, minimum: 2, code: nibbles(4), addsMinimum: true, codeMax: 15},
		{t: Q5_0, elements: 32, bytes: 22, d: 0, minimum: -1, code: fives(2, 6), bias: 16, codeMax: 31},
		{t: Q5_1, elements: 32, bytes: 24, d: 0, minimum: 2, code: fives(4, 8), addsMinimum: true, codeMax: 31},
		{
			t: Q8_0, elements: 32, bytes: 34, d: 0, minimum: -1, signedCode: true, codeMax: 127,
			code: func(i int) []field { return []field{{2 + i, 0, 8, 0}} },
		},
		{
			t: Q2_K, elements: 256, bytes: 84, d: 80, minimum: 82, codeMax: 3, lowMost: 15,
			code:  func(i int) []field { return []field{{16 + i/128*32 + i%32, i % 128 / 32 * 2, 2, 0}} },
			scale: func(i int) []field { return []field{{i / 16, 0, 4, 0}} },
			low:   func(i int) []field { return []field{{i / 16, 4, 4, 0}} },
		},
		{
			t: Q3_K, elements: 256, bytes: 110, d: 108, minimum: -1, bias: 4, scaleBias: 32, codeMax: 7,
			code: func(i int) []field {
				return []field{{32 + i/128*32 + i%32, i % 128 / 32 * 2, 2, 0}, {i % 32, i / 32, 1, 2}}
			},
			scale: func(i int) []field {
				g := i / 16
				return []field{{96 + g%8, g / 8 * 4, 4, 0}, {104 + g%4, g / 4 * 2, 2, 4}}
			},
		},
		{
			t: Q4_K, elements: 256, bytes: 144, d: 0, minimum: 2, codeMax: 15, lowMost: 63,
			code:  func(i int) []field { return []field{{16 + i/64*32 + i%32, i % 64 / 32 * 4, 4, 0}} },
			scale: scaleK4, low: lowK4,
		},
		{
			t: Q5_K, elements: 256, bytes: 176, d: 0, minimum: 2, codeMax: 31, lowMost: 63,
			code: func(i int) []field {
				return []field{{48 + i/64*32 + i%32, i % 64 / 32 * 4, 4, 0}, {16 + i%32, i / 32, 1, 4}}
			},
			scale: scaleK4, low: lowK4,
		},
		{
			t: Q6_K, elements: 256, bytes: 210, d: 208, minimum: -1, bias: 32, signedScale: true, codeMax: 63,
			code: func(i int) []field {
				return []field{{i/128*64 + i%64, i % 128 / 64 * 4, 4, 0}, {128 + i/128*32 + i%32, i % 128 / 32 * 2, 2, 4}}
			},
			scale: func(i int) []field { return []field{{192 + i/16, 0, 8, 0}} },
		},
	}
}

func get(block []byte, fields []field) (code int) {
	for _, f := range fields {
		code |= int(block[f.byte]) >> f.shift & (1<<f.width - 1) << f.at
	}
	return code
}

func put(block []byte, fields []field, code int) {
	for _, f := range fields {
		mask := byte((1<<f.width - 1) << f.shift)
		block[f.byte] = block[f.byte]&^mask | byte(code>>f.at<<f.shift)&mask
	}
}

// element decodes element i of a block.
func (a account) element(block []byte, i int) float32 {
	code := get(block, a.code(i))
	if a.signedCode {
		code = int(int8(code))
	}
	scale := widen(block[a.d:])
	if a.scale != nil {
		s := get(block, a.scale(i))
		if a.signedScale {
			s = int(int8(s))
		}
		scale *= float32(s - a.scaleBias)
	}
	x := float32(scale * float32(code-a.bias))
	switch {
	case a.addsMinimum:
		x += widen(block[a.minimum:])
	case a.low != nil:
		x -= float32(widen(block[a.minimum:]) * float32(get(block, a.low(i))))
	}
	return x
}

// sameFloat holds NaNs equal, whose payload the order of operands decides.
func sameFloat(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func compareBlocks(t *testing.T, a account, blocks []byte) {
	t.Helper()
	known, _ := layoutOf(a.t)
	if known.elements != a.elements || known.bytes != a.bytes {
		t.Fatalf("%v has blocks of %d elements and %d bytes", a.t, known.elements, known.bytes)
	}
	got := make([]float32, len(blocks)/a.bytes*a.elements)
	known.decode(got, blocks)
	for i, value := range got {
		block := blocks[i/a.elements*a.bytes:][:a.bytes]
		if want := a.element(block, i%a.elements); !sameFloat(value, want) {
			t.Fatalf("%v: element %d is %g, want %g (block % x)", a.t, i, value, want, block)
		}
	}
}

func TestDecodersAgreeWithTheFields(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, a := range accounts() {
		blocks := make([]byte, 200*a.bytes)
		for i := range blocks {
			blocks[i] = byte(random.Uint32())
		}
		compareBlocks(t, a, blocks)
	}
}

// encode quantises values in the simplest way: one scale and minimum for the
// whole block, written to every group. It returns the step between codes.
func (a account) encode(values []float32) (block []byte, step float32) {
	block = make([]byte, a.bytes)
	low, high := values[0], values[0]
	for _, value := range values {
		low, high = min(low, value), max(high, value)
	}
	largest := max(-low, high)
	groupScale, d, offset := 1, float32(0), float32(0)
	if a.minimum >= 0 {
		d = (high - low) / float32(a.codeMax)
	} else {
		d = largest / float32(a.codeMax-a.bias)
	}
	if a.scale != nil {
		groupScale = 11
		d /= float32(groupScale)
	}
	putHalf(block[a.d:], d)
	step = widen(block[a.d:]) * float32(groupScale)
	switch {
	case a.addsMinimum:
		putHalf(block[a.minimum:], low)
		offset = widen(block[a.minimum:])
	case a.low != nil:
		putHalf(block[a.minimum:], -low/float32(a.lowMost))
		offset = -widen(block[a.minimum:]) * float32(a.lowMost)
	}
	for i, value := range values {
		if a.scale != nil {
			put(block, a.scale(i), groupScale+a.scaleBias)
		}
		if a.low != nil {
			put(block, a.low(i), a.lowMost)
		}
		code := int(math.Round(float64((value-offset)/step))) + a.bias
		least := 0
		if a.signedCode {
			least = -128
		}
		put(block, a.code(i), min(max(code, least), a.codeMax))
	}
	return block, step
}

func putHalf(dst []byte, value float32) {
	bits, _ := narrow(value)
	binary.LittleEndian.PutUint16(dst, bits)
}

// TestQuantisedWithinAStep encodes numbers and decodes them: at most a step
// between codes lies between, half of it from rounding the code, the rest from
// rounding scale and minimum to binary16.
func TestQuantisedWithinAStep(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, a := range accounts() {
		known, _ := layoutOf(a.t)
		for _, size := range []float32{1e-2, 1, 300} {
			values := make([]float32, a.elements)
			for i := range values {
				values[i] = size * float32(random.NormFloat64())
			}
			block, step := a.encode(values)
			got := make([]float32, a.elements)
			known.decode(got, block)
			for i, value := range values {
				if miss := math.Abs(float64(value - got[i])); !(miss <= float64(step)) {
					t.Fatalf("%v: element %d is %g, comes back %g, step %g", a.t, i, value, got[i], step)
				}
			}
		}
	}
}

// FuzzDequantise holds the decoders to the fields on any bytes.
func FuzzDequantise(f *testing.F) {
	for which, a := range accounts() {
		f.Add(uint8(which), make([]byte, a.bytes))
		values := make([]float32, a.elements)
		for i := range values {
			values[i] = float32(i%17) - 8
		}
		block, _ := a.encode(values)
		f.Add(uint8(which), append(block, block...))
	}
	f.Fuzz(func(t *testing.T, which uint8, blocks []byte) {
		all := accounts()
		a := all[int(which)%len(all)]
		compareBlocks(t, a, blocks[:len(blocks)/a.bytes*a.bytes])
	})
}
