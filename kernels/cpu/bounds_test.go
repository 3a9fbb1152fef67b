//go:build unix

package cpu

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"
	"unsafe"
)

// taker gives a call its next buffer of n elements.
type taker func(n int) []float32

// boundedCall calls a routine with buffers that are just as long as its doc
// says, at length n.
type boundedCall func(r *routines, take taker, n int)

// boundedCalls has a call for each field of routines.
func boundedCalls() map[string]boundedCall {
	unary := func(f func(r *routines) func(dst, x []float32)) boundedCall {
		return func(r *routines, take taker, n int) { f(r)(take(n), take(n)) }
	}
	binary := func(f func(r *routines) func(dst, a, b []float32)) boundedCall {
		return func(r *routines, take taker, n int) { f(r)(take(n), take(n), take(n)) }
	}
	calls := map[string]boundedCall{
		"gemm": callGemm,
		"pack": callPack,
		"fetch": func(r *routines, take taker, n int) {
			if r.fetch != nil {
				r.fetch(bytesOf(take(n)))
			}
		},
		"add":        binary(func(r *routines) func(dst, a, b []float32) { return r.add }),
		"addScaled":  func(r *routines, take taker, n int) { r.addScaled(take(n), take(n), take(n), 0.5) },
		"swiglu":     binary(func(r *routines) func(dst, a, b []float32) { return r.swiglu }),
		"relu":       unary(func(r *routines) func(dst, x []float32) { return r.relu }),
		"gelu":       func(r *routines, take taker, n int) { r.gelu(take(n), take(n), &geluExact) },
		"sumSquares": func(r *routines, take taker, n int) { r.sumSquares(take(n)) },
		"scaleBy":    func(r *routines, take taker, n int) { r.scaleBy(take(n), take(n), take(n), 0.5) },
		"sum":        func(r *routines, take taker, n int) { r.sum(take(n)) },
		"centredSquares": func(r *routines, take taker, n int) {
			r.centredSquares(take(n), 0.5, 0.25)
		},
		"standardise": func(r *routines, take taker, n int) {
			r.standardise(take(n), take(n), take(n), take(n), 0.5, 0.25, 2)
		},
		"turnHalves": func(r *routines, take taker, n int) { callTurn(r.turnHalves, take, n) },
		"turnPairs":  func(r *routines, take taker, n int) { callTurn(r.turnPairs, take, n) },
		"maximum":    func(r *routines, take taker, n int) { r.maximum(take(n)) },
		"expSum":     func(r *routines, take taker, n int) { r.expSum(take(n), 0.5, 2) },
		"strided":    callStrided,
		"project":    callProject,
		"columnMaximum": func(r *routines, take taker, n int) {
			r.columnMaximum(lanesOf(take), take(16*n))
		},
		"columnExpSum": func(r *routines, take taker, n int) {
			r.columnExpSum(take(16*n), lanesOf(take), lanesOf(take))
		},
		"columnScaleAdd": func(r *routines, take taker, n int) {
			r.columnScaleAdd(take(16*n), take(16*n), lanesOf(take))
		},
		"gaussian": func(r *routines, take taker, n int) {
			r.gaussian(take(n), [2]uint32{1, 2}, 3, 4, uint32(n%5))
		},
		"rademacher": func(r *routines, take taker, n int) {
			r.rademacher(take(n), [2]uint32{1, 2}, 3, 4, uint32(127+n%5))
			r.rademacher(take(4*n), [2]uint32{1, 2}, 3, 4, uint32(n%2)*64)
		},
	}
	maps.Copy(calls, boundedCodeCalls())
	return calls
}

// callGemm calls a tile with a depth of n, the last panel being cut off where
// its last row ends.
func callGemm(r *routines, take taker, n int) {
	call := func(fn microFunc, NR int) {
		m, panel, ldd, ldc := r.gemm, 16*(n+3), NR*(n%2), NR+n%3
		a, b := take(m.MR*n), take((NR/16-1)*panel*min(n, 1)+16*n)
		fn(n, start(a), start(b), panel, &take((m.MR-1)*ldd + NR)[0], ldd, &take((m.MR-1)*ldc + NR)[0], ldc)
	}
	call(r.gemm.fn, r.gemm.NR)
	if r.gemm.half != nil {
		call(r.gemm.half, 16)
	}
	m := r.gemm
	for _, column := range columnsOf(&m) {
		for tiles := 1; tiles < 4; tiles++ {
			rows, panel, ldd, ldc := tiles*m.MR, 16*(n+3), m.NR*(n%2), m.NR+n%3
			b := take((m.NR/16-1)*panel*min(n, 1) + 16*n)
			column(tiles, n, start(take(rows*n)), start(b), panel, &take((rows-1)*ldd + m.NR)[0], ldd,
				&take((rows-1)*ldc + m.NR)[0], ldc, (*byte)(unsafe.Pointer(start(b))), 64*n, 64)
		}
	}
}

// callPack packs panels of a depth of n from sources that end with the panel
// and from some that are long enough to be read by eight rows.
func callPack(r *routines, take taker, n int) {
	for _, width := range []int{4, 6, 8, 14, 16} {
		for _, rows := range []int{1, width - 1, width, roundUp(width, 8)} {
			ld := n + rows%3
			r.pack(take(n*width+packSlack), take((rows-1)*ld+n), ld, rows, width, n)
		}
	}
}

// callStrided multiplies from 1 to 14 rows of n elements, side by side or one
// below the other, the last one being cut off where it ends.
func callStrided(r *routines, take taker, n int) {
	if n == 0 {
		return
	}
	for rows := 1; rows < 15; rows++ {
		for _, x := range [][2]int{{n + rows%3, 1}, {1, rows + n%3}} {
			ldy := 16 + rows%2
			length := (rows-1)*x[0] + (n-1)*x[1] + 1
			r.strided(take((rows+stridedSlack-1)*ldy+16), ldy, take(length), x[0], x[1], rows, n, take(16*n), 0.5)
		}
	}
}

// callProject multiplies from 1 to 26 rows of n elements by eight columns or more.
func callProject(r *routines, take taker, n int) {
	if n == 0 || r.project == nil {
		return
	}
	for rows := 1; rows < 27; rows++ {
		ldx, ldy := n+rows%3, 16+rows%2
		for _, columns := range []int{8, 9} {
			r.project(take((rows+stridedSlack-1)*ldy+16), ldy, take((rows-1)*ldx+n), ldx, rows, columns, n, take(16*n), 0.5)
		}
	}
}

// callTurn turns up to two heads of 2n elements.
func callTurn(turn func(y, x, cos, sin []float32), take taker, n int) {
	if n == 0 {
		return
	}
	for heads := range 3 {
		turn(take(2*n*heads), take(2*n*heads), take(n), take(n))
	}
}

// lanesOf takes a value for each of 16 columns.
func lanesOf(take taker) *[16]float32 { return (*[16]float32)(take(16)) }

// No routine reads or writes outside its buffers: each of them once lies right
// before and once right behind a page that faults, at other times up to three
// elements away from it. A function that several levels share is called once.
func TestRoutinesKeepToTheirBuffers(t *testing.T) {
	const longest = 2*32 + 3 // twice the widest step of a loop
	calls := boundedCalls()
	fields := reflect.TypeFor[routines]()
	for i := range fields.NumField() {
		if name := fields.Field(i).Name; name != "needs" && calls[name] == nil {
			t.Errorf("no call of routines.%s: add it to boundedCalls", name)
		}
	}
	var fences [6]*fence // one for each buffer of a call
	for i := range fences {
		fences[i] = newFence(t)
	}
	rng := rand.New(rand.NewPCG(5, 2))
	random := func() float32 { return rng.Float32() - 0.5 }
	type function struct {
		field string
		code  uintptr
	}
	called := map[function]bool{}
	eachLevel(t, func(t *testing.T, r *routines) {
		if testing.Short() && r.needs == (Features{}) {
			t.Skip("plain Go keeps to them on every processor or on none")
		}
		for name, call := range calls {
			if f := reflect.ValueOf(r).Elem().FieldByName(name); f.Kind() == reflect.Func {
				if called[function{name, f.Pointer()}] {
					continue
				}
				called[function{name, f.Pointer()}] = true
			}
			for _, where := range []side{atEnd, atStart} {
				for n := range longest + 1 {
					for off := range 4 {
						taken := 0
						check := func(f *fence) {
							t.Helper()
							if !f.intact() {
								t.Fatalf("%s of %d, gaps from %d, buffers at the end %t: wrote outside the buffer of %d", name, n, off, where, f.n)
							}
						}
						address, faulted := faults(func() {
							call(r, func(n int) []float32 {
								f := fences[taken%len(fences)]
								check(f)
								taken++
								return f.place(n, (off+taken)%4, where, random)
							}, n)
						})
						if faulted {
							t.Fatalf("%s of %d, gaps from %d, buffers at the end %t: fault at %#x", name, n, off, where, address)
						}
						for _, f := range fences {
							check(f)
						}
					}
				}
			}
		}
	})
}
