package half

import (
	"math"
	"testing"
)

// halfValue is what IEEE 754 says a finite binary16 is worth.
func halfValue(half uint16) float64 {
	sign := 1.0
	if half&0x8000 != 0 {
		sign = -1
	}
	exponent, fraction := int(half>>10)&0x1f, float64(half&0x3ff)
	if exponent == 0 {
		return sign * math.Ldexp(fraction, -24)
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

func TestEveryHalf(t *testing.T) {
	for all := range 1 << 16 {
		half := uint16(all)
		wide := ToFloat(half)
		if half&0x7c00 == 0x7c00 {
			if half&0x3ff == 0 && !math.IsInf(float64(wide), 0) || half&0x3ff != 0 && wide == wide {
				t.Fatalf("%04x gives %g", half, wide)
			}
			if half&0x3ff != 0 {
				continue
			}
		} else if float64(wide) != halfValue(half) {
			t.Fatalf("%04x gives %g, want %g", half, wide, halfValue(half))
		}
		if back := FromFloat(wide); back != half {
			t.Fatalf("%04x comes back as %04x", half, back)
		}
	}
}

// TestHalfRounding checks the middle between each pair of neighbours, and the
// float32 on either side of it.
func TestHalfRounding(t *testing.T) {
	for low := uint16(0); low < 0x7bff; low++ {
		middle := float32((halfValue(low) + halfValue(low+1)) / 2)
		even := low + low&1
		for value, want := range map[float32]uint16{
			middle:                      even,
			math.Nextafter32(middle, 0): low,
			math.Nextafter32(middle, math.MaxFloat32): low + 1,
		} {
			if got := FromFloat(value); got != want {
				t.Fatalf("%g gives %04x, want %04x", value, got, want)
			}
			if got := FromFloat(-value); got != want|0x8000 {
				t.Fatalf("%g gives %04x, want %04x", -value, got, want|0x8000)
			}
		}
	}
	for value, want := range map[float32]uint16{65504: 0x7bff, 65519.996: 0x7bff, 65520: 0x7c00, 1e30: 0x7c00, -1e30: 0xfc00} {
		if got := FromFloat(value); got != want {
			t.Errorf("%g gives %04x, want %04x", value, got, want)
		}
	}
	if got := FromFloat(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("NaN gives %04x", got)
	}
}

func TestBrainRounding(t *testing.T) {
	for all := range 0x7f80 { // all finite positive bfloat16 but the last gap
		low := uint32(all) << 16
		even := uint16(all + all&1)
		for offset, want := range map[uint32]uint16{0: uint16(all), 0x7fff: uint16(all), 0x8000: even, 0x8001: uint16(all + 1), 0xffff: uint16(all + 1)} {
			if got := BrainFromFloat(math.Float32frombits(low + offset)); got != want {
				t.Fatalf("%08x gives %04x, want %04x", low+offset, got, want)
			}
		}
	}
	for _, bits := range []uint32{0x7f800001, 0x7fffffff, 0xffffffff} {
		if got := BrainFromFloat(math.Float32frombits(bits)); got&0x7f80 != 0x7f80 || got&0x7f == 0 {
			t.Errorf("NaN %08x gives %04x", bits, got)
		}
	}
	if got := BrainFromFloat(float32(math.Inf(-1))); got != 0xff80 {
		t.Errorf("−∞ gives %04x", got)
	}
}
