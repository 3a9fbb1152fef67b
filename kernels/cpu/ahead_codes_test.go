package cpu

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"zeroth/runtime/op"
)

// What a product of codes brings in while it multiplies a slice of a panel is the
// slice that it reads next, all of it, whatever a word holds.
func TestCodesBringInTheNextSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 3))
	const M, K, tiles = 70, 2112, 3
	dense := matrix(rng, 0, M, K)
	for _, d := range []op.DType{op.BF16, op.I8, op.Q4, op.NF4} {
		for _, NR := range []int{16, 32} {
			p := &codeProduct{kernel: &codeKernel{NR: NR, xBytes: 4, wBytes: 4, step: 1}, w: weightsOf(packedWeights(t, dense, d))}
			if NR == 32 {
				p.kernel.half = func(int, int, *byte, *byte, int, *float32, *int32, *float32, int) {}
			}
			p.words = p.kernel.codeWords(&p.w.shape)
			p.depth = p.kernel.depth(p.words, d)
			b := &codeBlock{c1: M}
			perPanel := int(p.w.shape.PanelBytes())
			wordBytes := perPanel / p.words
			wanted := -1 // the offset of what is to come
			for v := 0; v < p.words; v += p.depth {
				words := min(p.depth, p.words-v)
				for c := 0; c < M; c += p.codeWidth(c) {
					at := c/op.PanelRows*perPanel + v*wordBytes
					if wanted >= 0 && at != wanted {
						t.Fatalf("%s, NR %d: what was brought in before word %d of column %d is at byte %d, not %d", d, NR, v, c, wanted, at)
					}
					w := codeSlice{b: []byte{0}, groups: 1, words: words}
					next, step, apart := p.codeAhead(b, c, v, tiles, &w)
					last := c+p.codeWidth(c) >= M
					if last && v+words == p.words {
						if step != 0 {
							t.Fatalf("%s, NR %d: something is brought in behind the last slice", d, NR)
						}
						continue
					}
					wanted = int(uintptr(unsafe.Pointer(next)) - uintptr(unsafe.Pointer(&p.w.raw[0])))
					size, follows := words*wordBytes, NR == 32 && (last || c+2*NR <= roundUp(M, op.PanelRows))
					if last {
						size = min(p.depth, p.words-v-words) * wordBytes
					}
					if want := ceilDiv(size, tiles*(words/codeColumnStep)); step != want {
						t.Fatalf("%s, NR %d: from word %d of column %d on %d bytes a step are brought in, want %d", d, NR, v, c, step, want)
					}
					if follows != (apart == perPanel) {
						t.Fatalf("%s, NR %d: behind word %d of column %d panels are %d bytes apart", d, NR, v, c, apart)
					}
				}
			}
		}
	}
}
