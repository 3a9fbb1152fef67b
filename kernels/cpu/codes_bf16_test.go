package cpu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/internal/half"
)

// A micro-kernel for bfloat16 adds exact products to c, with the rounding of a
// few float32 sums.
func TestBF16Kernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	eachLevel(t, func(t *testing.T, r *routines) {
		k := &r.codesBF16
		if k.fn == nil {
			t.Skip("no micro-kernel for bfloat16 at this level")
		}
		for words := 0; words <= 40; words += k.step {
			checkBF16(t, rng, k, k.fn, k.NR, words)
			if k.half != nil {
				checkBF16(t, rng, k, k.half, 16, words)
			}
		}
	})
}

// randomBrains fills b, of whole numbers, with normally distributed bfloat16.
func randomBrains(rng *rand.Rand, b []byte) {
	for i := 0; i < len(b); i += 2 {
		binary.LittleEndian.PutUint16(b[i:], half.BrainFromFloat(float32(rng.NormFloat64())))
	}
}

func checkBF16(t *testing.T, rng *rand.Rand, k *codeKernel, fn codeFunc, NR, words int) {
	t.Helper()
	x, w := make([]byte, k.MR*words*4), make([]byte, NR/16*words*64)
	randomBrains(rng, x)
	randomBrains(rng, w)
	packed := make([]byte, k.MR*words*k.xBytes+1)
	k.pack(packed, signed(x), words*4, k.MR, words)
	b, panel := w, words*64
	if k.widen != nil {
		panel = words * 16 * k.wBytes
		b = make([]byte, NR/16*panel)
		for p := range NR / 16 {
			k.widen(b[p*panel:][:panel], w[p*words*64:][:words*64])
		}
	}
	ones, zeros := make([]float32, NR), make([]int32, NR)
	for i := range ones {
		ones[i] = 1
	}
	ldc := NR + rng.IntN(3)
	c := guarded(rng, (k.MR-1)*ldc+NR, words%4)
	before := append([]float32(nil), c...)
	fn(1, words, &packed[0], &append(b, 0)[0], panel, &ones[0], &zeros[0], &c[0], ldc)
	checkGuards(t, k.name, c)
	at := func(b []byte, i int) float64 {
		return float64(half.BrainToFloat(binary.LittleEndian.Uint16(b[i:])))
	}
	for i, got := range c {
		row, column := i/ldc, i%ldc
		want, size := float64(before[i]), math.Abs(float64(before[i]))
		if column < NR {
			for e := range 2 * words {
				term := at(x, (row*words*2+e)*2) * at(w, column/16*words*64+e/2*64+column%16*4+e%2*2)
				want, size = want+term, size+math.Abs(term)
			}
		}
		if math.Abs(float64(got)-want) > 1e-6*size {
			t.Fatalf("%s, %d words: row %d column %d is %g, want %g", k.name, words, row, column, got, want)
		}
	}
}

func TestRoundBF16(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 2))
	special := []float32{
		0, float32(math.Copysign(0, -1)), 1.00390625, 1.01171875, -1.00390625, // ties go to the even one
		math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), 1e-40, 1e-45,
		math.Float32frombits(0x7f7f7fff), math.Float32frombits(0x7f7f8000),
	}
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := range 40 {
			x, got := make([]float32, n), make([]uint16, n+1)
			got[n] = 99
			for i := range x {
				x[i] = math.Float32frombits(rng.Uint32())
				if rng.IntN(2) == 0 {
					x[i] = special[rng.IntN(len(special))]
				}
			}
			r.roundBF16(got[:n], x)
			if got[n] != 99 {
				t.Fatalf("wrote past the %d elements", n)
			}
			for i, v := range x {
				want := half.BrainFromFloat(v)
				if f := half.BrainToFloat(got[i]); got[i] != want && !(f != f && v != v) {
					t.Fatalf("%g (%#08x) is rounded to %#04x, want %#04x", v, math.Float32bits(v), got[i], want)
				}
			}
		}
	})
}
