package cpu

import (
	"testing"
	"unsafe"
)

// The shares of a block's columns and slices of K in the rows that follow it in x
// are all of them, in order, and end where x does.
func TestNextRowsComeOnce(t *testing.T) {
	const M, c0 = 100, 16
	for _, K := range []int{1, 7, 320, 333, 700} {
		for _, rows := range []int{1, 6, 25} {
			for _, behind := range []int{0, 1, rows, rows + 3} {
				p := &product{w: weights{M: M, K: K}}
				x := make([]float32, (rows+behind)*K)
				b := &block{x: x, rows: rows, c0: c0, c1: M}
				at := rows * K
				for k0 := 0; k0 < K; k0 += p.w.depth() {
					for c := c0; c < M; c += 16 {
						next := p.nextRows(b, c, 16, k0, min(p.w.depth(), K-k0))
						if len(next) == 0 {
							continue
						}
						if at == len(x) || unsafe.Pointer(&next[0]) != unsafe.Pointer(&x[at]) {
							t.Fatalf("%d rows of %d: the share of column %d from %d on does not follow the one before", rows, K, c, k0)
						}
						at += len(next) / 4
					}
				}
				if want := (rows + min(rows, behind)) * K; at != want {
					t.Errorf("%d rows of %d, %d behind: up to element %d is brought in, want %d", rows, K, behind, at, want)
				}
			}
		}
	}
}
