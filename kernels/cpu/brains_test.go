package cpu

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// oddFloats are bit patterns that rounding may get wrong: ties, carries into the
// exponent and to infinity, subnormals, infinities and NaN of every kind.
var oddFloats = []uint32{
	0, 1 << 31, 0x3f800000, 0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001, 0x3fffffff, 0x7f7fffff, 0x7f7f7fff, 0x7f7f8000,
	0xff7fffff, 1, 0x8000, 0x8001, 0x007fffff, 0x7f800000, 0xff800000, 0x7f800001, 0x7fffffff, 0xff80ffff, 0x7fc00000, 0xffbfffff,
}

// Words of bfloat16 are rounded like single numbers, whatever the numbers are.
func TestBrainsAreRounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	eachLevel(t, func(t *testing.T, r *routines) {
		for vectors := range 20 {
			x, dither := make([]float32, 32*vectors), make([]uint32, 32*vectors)
			for i := range x {
				bits := rng.Uint32()
				if i%2 == 0 {
					bits = oddFloats[rng.IntN(len(oddFloats))]
				}
				x[i], dither[i] = math.Float32frombits(bits), rng.Uint32()&0xffff
			}
			got, want := make([]byte, 64*vectors), make([]byte, 64*vectors)
			r.narrowBrains(got, x)
			narrowBrainsGeneric(want, x)
			if !bytes.Equal(got, want) {
				t.Fatalf("%d vectors to nearest: got %x, want %x", vectors, got, want)
			}
			r.ditherBrains(got, x, dither)
			ditherBrainsGeneric(want, x, dither)
			if !bytes.Equal(got, want) {
				t.Fatalf("%d vectors dithered: got %x, want %x", vectors, got, want)
			}
			back, again := make([]float32, 32*vectors), make([]byte, 64*vectors)
			for i := range got { // numbers alone, no NaN
				got[i] = byte(rng.Uint32()) & 0x3f
			}
			r.widenBrains(back, got)
			if r.narrowBrains(again, back); !bytes.Equal(again, got) {
				t.Fatalf("%d vectors widened and narrowed: got %x, want %x", vectors, again, got)
			}
		}
	})
}

// Dither is the same bits, wherever it begins and however long it is, up to the
// last index.
func TestDither(t *testing.T) {
	seed := [2]uint32{0xdeadbeef, 7}
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := range 150 {
			for _, first := range []uint32{0, 1, 2, 3, 1000003, math.MaxUint32 - 40} {
				got, want := make([]uint32, n), make([]uint32, n)
				r.dither(got, seed, 12345, first)
				ditherGeneric(want, seed, 12345, first)
				if !slices.Equal(got, want) {
					t.Fatalf("%d from %d: got %x, want %x", n, first, got, want)
				}
			}
		}
	})
}
