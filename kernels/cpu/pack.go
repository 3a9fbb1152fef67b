//go:build amd64 || arm64

package cpu

// transpose8Loop writes blocks of eight k of eight rows: for k < 8·blocks, i < 8
//
//	dst[k*stride+i] = src[i*ld+k]
//
// in order of k, each row of dst over what the one before it wrote past stride.
//
//go:noescape
func transpose8Loop(dst *float32, stride int, src *float32, ld int, blocks int)

// packVectors is routines.pack: eight rows at a time where the source has them.
// A panel whose width is no multiple of eight is written from its last rows to
// its first, so that the overhang of each is written over by what it hangs over.
func packVectors(dst, src []float32, ld, rows, width, kc int) {
	const eight = 8
	blocks := kc / eight
	groups := ceilDiv(width, eight)
	if blocks == 0 || len(src) < (groups*eight-1)*ld+kc || len(dst) < kc*width+packSlack {
		packGeneric(dst, src, ld, rows, width, kc)
		return
	}
	for g := groups - 1; g >= 0; g-- {
		transpose8Loop(&dst[g*eight], width, &src[g*eight*ld], ld, blocks)
	}
	for i := range width {
		for k := blocks * eight; k < kc; k++ {
			dst[k*width+i] = src[i*ld+k]
		}
	}
}
