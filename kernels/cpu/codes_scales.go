//go:build amd64 || arm64

package cpu

// Decoding of slices of panels: the assembly of codes_avx2_amd64.s and of
// codes_scales_neon.S in arm64src, and the routines made of it.

// halfScalesLoop: dst[g*stride+i] = float16 16·g + i of src for g < n, i < 16.
//
//go:noescape
func halfScalesLoop(dst *float32, stride int, src *byte, n int)

// byteScalesLoop: dst[g*stride+i] = float32(src[16·g+i]) · rows[i] for g < n,
// i < 16.
//
//go:noescape
func byteScalesLoop(dst *float32, stride int, src *byte, n int, rows *[16]float32)

// widenBrainsLoop: dst[32·v + 16·b + i] = bfloat16 b of word 16·v + i for v < n,
// b < 2, i < 16.
//
//go:noescape
func widenBrainsLoop(dst *float32, words *byte, n int)

// halfScalesVectors is routines.halfScales.
func halfScalesVectors(dst []float32, stride int, src []byte) {
	if n := len(src) / 32; n > 0 {
		_ = dst[(n-1)*stride+15]
		halfScalesLoop(&dst[0], stride, &src[0], n)
	}
}

// byteScalesVectors is routines.byteScales.
func byteScalesVectors(dst []float32, stride int, src []byte, rows *[16]float32) {
	if n := len(src) / 16; n > 0 {
		_ = dst[(n-1)*stride+15]
		byteScalesLoop(&dst[0], stride, &src[0], n, rows)
	}
}

// widenBrainsVectors is routines.widenBrains.
func widenBrainsVectors(dst []float32, words []byte) {
	if n := len(words) / 64; n > 0 {
		_ = dst[32*n-1]
		widenBrainsLoop(&dst[0], &words[0], n)
	}
}
