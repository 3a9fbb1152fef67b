package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/op"
)

// randomCodes fills s with codes of −127 to 127, a third of them at an end.
func randomCodes(rng *rand.Rand, s []int8) {
	for i := range s {
		s[i] = int8(rng.IntN(255) - 127)
		if rng.IntN(3) == 0 {
			s[i] = int8(127 - 254*rng.IntN(2))
		}
	}
}

// codeTile is one call of a codeFunc: codes of x by rows, bytes of w as they lie.
type codeTile struct {
	MR, NR, groups, words int
	x                     []int8 // [MR, groups·words·4]
	w                     []byte // panels, panel bytes apart
	panel                 int
	scales                []float32 // [groups, NR]
	start                 []int32   // [groups, NR]
	ldc                   int
}

// newCodeTile makes random operands; worst makes all products of one sign and the
// largest size. most is the greatest magnitude in w; with that of Q4, start is zero.
func newCodeTile(rng *rand.Rand, MR, NR, groups, words, most int, worst bool) *codeTile {
	all := groups * words
	t := &codeTile{
		MR: MR, NR: NR, groups: groups, words: words, panel: 64 * (all + rng.IntN(3)), ldc: NR + rng.IntN(3),
		x: make([]int8, MR*all*4), scales: normal(rng, groups*NR), start: make([]int32, groups*NR),
	}
	t.w = make([]byte, (NR/16-1)*t.panel+64*all)
	randomCodes(rng, t.x)
	randomCodes(rng, signed(t.w))
	for i, w := range signed(t.w) {
		t.w[i] = byte(int(w) * most / 127)
		if worst {
			t.w[i] = byte(-most)
		}
	}
	if worst {
		end := int8(127 - 254*rng.IntN(2))
		for i := range t.x {
			t.x[i] = end
		}
	}
	for i := range t.start {
		if most <= 8 {
			break
		}
		t.start[i] = rng.Int32N(2001) - 1000
	}
	return t
}

// sum is Σ x w of a group.
func (t *codeTile) sum(g, i, j int) (sum int32) {
	for k := 4 * t.words * g; k < 4*t.words*(g+1); k++ {
		w := int8(t.w[j/16*t.panel+k/4*64+j%16*4+k%4])
		sum += int32(t.x[i*t.groups*t.words*4+k]) * int32(w)
	}
	return sum
}

// run calls fn on c, with the shift's share taken away by start.
func (t *codeTile) run(k *codeKernel, fn codeFunc, c []float32) {
	words := t.groups * t.words
	packed := make([]byte, words*t.MR*k.xBytes+1)
	k.pack(packed, t.x, words*4, t.MR, words)
	w, panel := t.w, t.panel
	if k.widen != nil {
		panel = words * 16 * k.wBytes
		w = make([]byte, t.NR/16*panel+1)
		for p := range t.NR / 16 {
			k.widen(w[p*panel:(p+1)*panel], t.w[p*t.panel:][:64*words])
		}
	}
	start := append([]int32{0}, t.start...)[1:]
	for g := range t.groups {
		for j := range t.NR {
			for v := range 4 * t.words {
				b := j/16*t.panel + (g*t.words+v/4)*64 + j%16*4 + v%4
				start[g*t.NR+j] -= k.shift * int32(int8(t.w[b]))
			}
		}
	}
	fn(t.groups, t.words, &packed[0], &append(w, 0)[0], panel, &append(t.scales, 0)[0], &append(start, 0)[0], &c[0], t.ldc)
}

func TestCodeKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	eachLevel(t, func(t *testing.T, r *routines) {
		both := func(k *codeKernel, groups, words, most int) {
			for _, worst := range []bool{false, true} {
				checkCodes(t, k, k.fn, newCodeTile(rng, k.MR, k.NR, groups, words, most, worst))
				if k.half != nil {
					checkCodes(t, k, k.half, newCodeTile(rng, k.MR, 16, groups, words, most, worst))
				}
			}
		}
		for _, groups := range []int{1, 2, 5} {
			for words := 0; words <= 24; words += r.codes.step {
				both(&r.codes, groups, words, 128) // −128 is no code, but a file may hold it
			}
			for range 5 {
				both(r.codesFor(op.Q4), groups, 8, 8)
			}
		}
		both(&r.codes, 1, maxCodeWords, 128)
	})
}

// eachCodeKernel runs the test on the kernels of every instruction set.
func eachCodeKernel(t *testing.T, f func(t *testing.T, k *codeKernel)) {
	eachLevel(t, func(t *testing.T, r *routines) {
		f(t, &r.codes)
		if k := r.codesFor(op.Q4); k != &r.codes {
			f(t, k)
		}
	})
}

func checkCodes(t *testing.T, k *codeKernel, fn codeFunc, tile *codeTile) {
	t.Helper()
	rng := rand.New(rand.NewPCG(6, 2))
	c := guarded(rng, (tile.MR-1)*tile.ldc+tile.NR, tile.words%4)
	before := append([]float32(nil), c...)
	tile.run(k, fn, c)
	checkGuards(t, "codes", c)
	for i := range tile.MR {
		for j := range tile.ldc {
			at := i*tile.ldc + j
			if at >= len(c) {
				break
			}
			want, size := float64(before[at]), math.Abs(float64(before[at]))
			if j < tile.NR {
				for g := range tile.groups {
					term := float64(tile.scales[g*tile.NR+j]) * float64(tile.start[g*tile.NR+j]+tile.sum(g, i, j))
					want, size = want+term, size+math.Abs(term)
				}
			}
			if math.Abs(float64(c[at])-want) > 1e-6*size {
				t.Fatalf("%s, %d groups of %d words: row %d column %d is %g, want %g", k.name, tile.groups, tile.words, i, j, c[at], want)
			}
		}
	}
}

// The pack of a codeKernel leaves what lies past the panel alone, with fewer rows
// than MR, too.
func TestPackCodes(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 3))
	eachCodeKernel(t, func(t *testing.T, k *codeKernel) {
		for words := k.step; words < 20; words += k.step {
			for rows := 1; rows <= k.MR; rows++ {
				ld := words*4 + rng.IntN(5)
				codes := make([]int8, (rows-1)*ld+words*4)
				randomCodes(rng, codes)
				if rng.IntN(2) == 0 { // as a product has them: whole vectors of rows of whole words
					ld = words * 4
					codes = make([]int8, roundUp(k.MR, packRows)*ld)
					randomCodes(rng, codes)
				}
				size := words * k.MR * k.xBytes
				packed := make([]byte, size+1)
				packed[size] = 77
				k.pack(packed[:size:size], codes, ld, rows, words)
				if packed[size] != 77 {
					t.Fatalf("%d words of %d rows: wrote past the panel", words, rows)
				}
				// A row of W that is one word of ones gives the sum of x's word.
				scales, start := make([]float32, k.NR), make([]int32, k.NR)
				for v := range words {
					b := make([]byte, k.NR*4*words)
					for p := range k.NR / 16 {
						for i := range 64 {
							b[p*64*words+v*64+i] = 1
						}
					}
					for j := range scales {
						scales[j], start[j] = 1, -4*k.shift
					}
					if k.widen != nil {
						bytes := b[:64*words]
						b = make([]byte, 16*k.wBytes*words)
						k.widen(b, bytes)
					}
					c := make([]float32, k.MR*k.NR)
					k.fn(1, words, &packed[0], &b[0], 64*words, &scales[0], &start[0], &c[0], k.NR)
					for i := range rows {
						want := float32(0)
						for _, code := range codes[i*ld+v*4:][:4] {
							want += float32(code)
						}
						if got := c[i*k.NR]; got != want {
							t.Fatalf("%s: word %d of %d, row %d of %d sums to %g, want %g", k.name, v, words, i, rows, got, want)
						}
					}
				}
			}
		}
	})
}

// The loops around give the bits of their plain twins at every length.
func TestCodeLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 4))
	same := func(t *testing.T, what string, got, want []float32) {
		t.Helper()
		checkGuards(t, what, got)
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%s of %d: element %d is %g, want %g", what, len(want), i, got[i], want[i])
			}
		}
	}
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := range 2*64 + 4 {
			for off := range 4 {
				a, b, c := guarded(rng, n, off), guarded(rng, n, 3-off), guarded(rng, n, (off+1)%4)
				dst, other := guarded(rng, n, off), guarded(rng, n, 3-off)
				want, second := make([]float32, n), make([]float32, n)

				for _, first := range [][]float32{nil, c} {
					var most, greatest [2]float32
					r.pairRows(dst, other, a, b, first, &most)
					pairRowsGeneric(want, second, a, b, first, &greatest)
					same(t, "pairRows", dst, want)
					same(t, "pairRows", other, second)
					if most != greatest {
						t.Fatalf("pairRows of %d: greatest magnitudes %g, want %g", n, most, greatest)
					}
				}

				if got, want := r.largest(a), largestGeneric(a); got != want {
					t.Fatalf("largest of %d: %g, want %g", n, got, want)
				}
				factor := 127 / max(largestGeneric(a), 1e-3)
				codes, plain := make([]int8, n+1), make([]int8, n+1)
				codes[n], plain[n] = 99, 99
				r.roundCodes(codes[:n], a, factor)
				roundCodesGeneric(plain[:n], a, factor)
				if fmt.Sprint(codes) != fmt.Sprint(plain) {
					t.Fatalf("roundCodes of %d: %d, want %d", n, codes, plain)
				}
			}
		}
	})
}

// splitCodes gives the bits of its plain twin: in y or in place, with one bias for
// all rows or one each, and leaves nothing else changed.
func TestSplitCodes(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	eachLevel(t, func(t *testing.T, r *routines) {
		for rows := range 6 {
			for kind := range 16 {
				columns, size := 16+16*(kind&1), 0
				if rows > 0 {
					size = (rows-1)*(columns+3) + columns
				}
				split := codeSplit{
					rows: rows, columns: columns, scales: guarded(rng, 2*rows, kind%4),
					ldy: [2]int{2 * columns, columns + 3}, bias: guarded(rng, max(size, columns), 1),
				}
				if kind&2 != 0 {
					split.ldBias = columns + 3
				}
				c, y, base := guarded(rng, 2*rows*columns, rows%4), guarded(rng, size, 2), guarded(rng, rows*columns, 3)
				run := func(f func(codeSplit)) (all []float32) {
					s := split
					s.c = append(make([]float32, 0, len(c)+1), c...)
					y := append([]float32(nil), y...)
					base := append([]float32(nil), base...)
					if kind&4 != 0 {
						s.base = base
					}
					s.y = [2][]float32{s.c, y}
					if kind&8 != 0 && rows > 0 {
						s.y, s.ldy = [2][]float32{y, s.c[columns:]}, [2]int{columns + 3, 2 * columns}
					}
					f(s)
					return append(append(append(all, s.c...), y...), base...)
				}
				got, want := run(r.splitCodes), run(splitCodesGeneric)
				for i := range want {
					if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
						t.Fatalf("%d rows of %d, kind %d: element %d is %g, want %g", rows, columns, kind, i, got[i], want[i])
					}
				}
			}
		}
	})
}

// A NaN or an infinity in either row of a pair shows in what pairRows finds.
func TestPairRowsOfNonFinite(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := 1; n < 40; n++ {
			for at := range n {
				for _, v := range []float32{inf, -inf, nan} {
					a, b := make([]float32, n), make([]float32, n)
					a[at] = v
					var most [2]float32
					r.pairRows(make([]float32, n), make([]float32, n), a, b, nil, &most)
					for _, m := range most {
						if v == v && m != inf || v != v && m == m {
							t.Fatalf("%g at %d of %d: %g", v, at, n, most)
						}
					}
				}
			}
		}
	})
}

func TestLargestOfNonFinite(t *testing.T) {
	inf, nan := float32(math.Inf(-1)), float32(math.NaN())
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := 1; n < 40; n++ {
			for at := range n {
				x := make([]float32, n)
				x[at] = inf
				if got := r.largest(x); got != -inf {
					t.Fatalf("−Inf at %d of %d: %g", at, n, got)
				}
				x[(at+1)%n] = nan
				if got := r.largest(x); got == got {
					t.Fatalf("NaN at %d of %d: %g", at, n, got)
				}
			}
		}
	})
}

// What decodes scales and bfloat16 gives the bits of the plain twins: every
// float16, subnormals and what is not finite among them.
func TestDecodeScales(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	eachLevel(t, func(t *testing.T, r *routines) {
		same := func(what string, got, want []float32) {
			t.Helper()
			checkGuards(t, what, got)
			for i := range want {
				if g, w := math.Float32bits(got[i]), math.Float32bits(want[i]); g != w && (got[i] == got[i] || want[i] == want[i]) {
					t.Fatalf("%s: element %d is %#x, want %#x", what, i, g, w)
				}
			}
		}
		var rows [16]float32
		copy(rows[:], normal(rng, 16))
		for groups := range 20 {
			for _, stride := range []int{16, 32} {
				n := max(groups-1, 0)*stride + 16*min(groups, 1)
				src := make([]byte, groups*32)
				for i := range src {
					src[i] = byte(rng.Uint32())
				}
				got := guarded(rng, n, groups%4)
				want := append([]float32(nil), got...)
				r.halfScales(got, stride, src)
				halfScalesGeneric(want, stride, src)
				same("halfScales", got, want)
				r.byteScales(got, stride, src[:groups*16], &rows)
				byteScalesGeneric(want, stride, src[:groups*16], &rows)
				same("byteScales", got, want)
			}
			words := make([]byte, groups*64)
			for i := range words {
				words[i] = byte(rng.Uint32())
			}
			got, want := guarded(rng, groups*32, groups%4), make([]float32, groups*32)
			r.widenBrains(got, words)
			widenBrainsGeneric(want, words)
			same("widenBrains", got, want)
		}
		every := make([]byte, 1<<17)
		for i := range 1 << 16 {
			every[2*i], every[2*i+1] = byte(i), byte(i>>8)
		}
		got, want := guarded(rng, 1<<16, 1), make([]float32, 1<<16)
		r.halfScales(got, 16, every)
		halfScalesGeneric(want, 16, every)
		same("halfScales", got, want)
	})
}

// Ties go to the even code, and the ends are reached.
func TestRoundCodesOfTies(t *testing.T) {
	x := []float32{0.5, 1.5, -0.5, -1.5, 2.5, 127, -127, 126.5, -126.5, 0.49999997, -2.5, 3.5, 63.5, -63.5, 64.5, 0}
	want := []int8{0, 2, 0, -2, 2, 127, -127, 126, -126, 0, -2, 4, 64, -64, 64, 0}
	eachLevel(t, func(t *testing.T, r *routines) {
		got := make([]int8, len(x))
		r.roundCodes(got, x, 1)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %d, want %d", got, want)
		}
	})
}

func TestUnpackAndSumCodes(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 5))
	levels := [16]int8{-128, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127}
	eachLevel(t, func(t *testing.T, r *routines) {
		for vectors := range 20 {
			src := make([]byte, 64*vectors)
			randomCodes(rng, signed(src))
			got, want := make([]byte, 128*vectors+1), make([]byte, 128*vectors+1)
			got[len(got)-1], want[len(want)-1] = 9, 9
			r.unpackCodes(got[:128*vectors], src, &levels)
			unpackCodesGeneric(want[:128*vectors], src, &levels)
			if string(got) != string(want) {
				t.Fatalf("unpackCodes of %d vectors differs", vectors)
			}
			for _, groups := range []int{1, 2, vectors} {
				const stride = 19
				if vectors == 0 || 2*vectors%groups != 0 {
					continue
				}
				sums, plain := make([]int32, groups*stride), make([]int32, groups*stride)
				size := 128 * vectors / groups
				r.sumCodes(sums, stride, got[:128*vectors], size, -128)
				for i, b := range got[:128*vectors] {
					plain[i/size*stride+i%64/4] -= 128 * int32(int8(b))
				}
				if fmt.Sprint(sums) != fmt.Sprint(plain) {
					t.Fatalf("sumCodes of %d groups of %d bytes: %d, want %d", groups, size, sums, plain)
				}
			}
		}
	})
}
