package gguf

import (
	"math"
	"testing"
)

// TestEveryHalf widens all 65,536 bit patterns by the definition, and rounds
// each back to itself.
func TestEveryHalf(t *testing.T) {
	for bits := range 1 << 16 {
		fraction, exponent := float64(bits&0x3ff), bits>>10&31
		want := math.Ldexp(1024+fraction, exponent-25)
		switch {
		case exponent == 0:
			want = math.Ldexp(fraction, -24)
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		}
		if bits&0x8000 != 0 {
			want = -want
		}
		got := widen([]byte{byte(bits), byte(bits >> 8)})
		if !sameFloat(got, float32(want)) {
			t.Fatalf("%04x is %g, want %g", bits, got, want)
		}
		back, fits := narrow(got)
		if nan := got != got; !fits || !nan && int(back) != bits || nan && back&0x7fff <= 0x7c00 {
			t.Fatalf("%04x comes back %04x, fits %v", bits, back, fits)
		}
	}
}

// TestHalfRounding takes values halfway between neighbours, and just beside.
func TestHalfRounding(t *testing.T) {
	for bits := range uint16(0x7bff) {
		low := widen([]byte{byte(bits), byte(bits >> 8)})
		high := widen([]byte{byte(bits + 1), byte((bits + 1) >> 8)})
		middle := (low + high) / 2 // exact: float32 has 13 bits to spare
		even := bits + bits&1
		for _, test := range []struct {
			value float32
			want  uint16
		}{
			{middle, even},
			{math.Nextafter32(middle, 0), bits},
			{math.Nextafter32(middle, high), bits + 1},
		} {
			for _, sign := range []uint16{0, 0x8000} {
				value := test.value
				if sign != 0 {
					value = -value
				}
				if got, fits := narrow(value); !fits || got != test.want|sign {
					t.Fatalf("%g gives %04x, want %04x", value, got, test.want|sign)
				}
			}
		}
	}
	for _, tooLarge := range []float32{65520, -65520, math.MaxFloat32} {
		if _, fits := narrow(tooLarge); fits {
			t.Errorf("%g fits", tooLarge)
		}
	}
	if got, fits := narrow(math.Nextafter32(65520, 0)); !fits || got != 0x7bff {
		t.Errorf("just below 65520 gives %04x, %v", got, fits)
	}
}
