package gguf

// Superblocks of 256 elements ("K" types): groups of 16 or 32 elements have
// small integer scales s[g], and minima m[g], which the superblock's binary16 d
// and dmin give their size. q[i] is the code of element i, g its group, and
// byte numbers count from the start of the superblock.
//
// Codes are cut into planes of 32 bytes (64 in Q6_K) so that one load serves
// several groups: byte i%32 of a plane holds elements i, i+32, i+64 … at rising
// bit positions.
//
// Rounding is ggml's: d·s and dmin·m first, then the product with the code,
// then the difference, each to float32.
//
// (Source: the block structs in ggml-common.h and dequantize_row_*_K in
// ggml-quants.c, ggml-org/ggml.)

const superElements = 256

// decodeQ2K: at 0 a byte for each of 16 groups of 16, s in the low half, m in
// the high half; 2-bit codes at 16, a plane of 32 bytes for every 128 elements;
// d at 80, dmin at 82.
//
//	x[i] = d·s[g]·q[i] − dmin·m[g]
func decodeQ2K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superElements:], src[84:] {
		d, dmin := widen(src[80:]), widen(src[82:])
		for g := range 16 {
			scale, minimum := d*float32(src[g]&15), dmin*float32(src[g]>>4)
			shift := g / 2 % 4 * 2
			codes := src[16+g/8*32+g%2*16:][:16]
			out := dst[16*g:][:16]
			for i, code := range codes {
				out[i] = float32(scale*float32(code>>shift&3)) - minimum
			}
		}
	}
}

// decodeQ3K: at 0 bit 2 of the codes, one plane of 32 bytes for all 256
// elements; at 32 bits 0 and 1, a plane of 32 bytes for every 128; at 96 the
// scales of 16 groups of 16 (see scalesQ3K); d at 108.
//
//	x[i] = d·(s[g] − 32)·(q[i] − 4)
func decodeQ3K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superElements:], src[110:] {
		d, scales := widen(src[108:]), scalesQ3K(src[96:108])
		for g := range 16 {
			scale := d * float32(int(scales[g])-32)
			shift := g / 2 % 4 * 2
			top := src[g%2*16:][:16]
			codes := src[32+g/8*32+g%2*16:][:16]
			out := dst[16*g:][:16]
			for i, code := range codes {
				q := code>>shift&3 | top[i]>>(g/2)&1<<2
				out[i] = scale * float32(int(q)-4)
			}
		}
	}
}

// scalesQ3K unpacks 16 scales of 6 bits from 12 bytes: bits 0 to 3 of scale g
// in a half of byte g%8, the low half for g < 8; bits 4 and 5 in byte 8+g%4 at
// bit 2·(g/4).
func scalesQ3K(packed []byte) (scales [16]byte) {
	for g := range scales {
		scales[g] = packed[g%8]>>(g/8*4)&15 | packed[8+g%4]>>(g/4*2)&3<<4
	}
	return scales
}

// scalesK4 unpacks the 8 scales and 8 minima of 6 bits that Q4_K and Q5_K keep
// in 12 bytes: those of groups 0 to 3 are the low 6 bits of bytes 0 to 3 and 4
// to 7; group g from 4 on has bits 0 to 3 in the halves of byte g+4, and bits 4
// and 5 in the two high bits of byte g−4 and of byte g.
func scalesK4(packed []byte) (scales, minima [8]byte) {
	for g := range 4 {
		scales[g], minima[g] = packed[g]&63, packed[g+4]&63
		scales[g+4] = packed[g+8]&15 | packed[g]>>6<<4
		minima[g+4] = packed[g+8]>>4 | packed[g+4]>>6<<4
	}
	return scales, minima
}

// decodeQ4K: d at 0, dmin at 2; at 4 the scales and minima of 8 groups of 32
// (see scalesK4); 4-bit codes at 16, a plane of 32 bytes for every 64 elements.
//
//	x[i] = d·s[g]·q[i] − dmin·m[g]
func decodeQ4K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superElements:], src[144:] {
		d, dmin := widen(src), widen(src[2:])
		scales, minima := scalesK4(src[4:16])
		for g := range 8 {
			scale, minimum := d*float32(scales[g]), dmin*float32(minima[g])
			shift := g % 2 * 4
			codes := src[16+g/2*32:][:32]
			out := dst[32*g:][:32]
			for i, code := range codes {
				out[i] = float32(scale*float32(code>>shift&15)) - minimum
			}
		}
	}
}

// decodeQ5K: as Q4_K, with bit 4 of the codes at 16, one plane of 32 bytes for
// all 256 elements, and bits 0 to 3 at 48.
//
//	x[i] = d·s[g]·q[i] − dmin·m[g]
func decodeQ5K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superElements:], src[176:] {
		d, dmin := widen(src), widen(src[2:])
		scales, minima := scalesK4(src[4:16])
		top := src[16:48]
		for g := range 8 {
			scale, minimum := d*float32(scales[g]), dmin*float32(minima[g])
			shift := g % 2 * 4
			codes := src[48+g/2*32:][:32]
			out := dst[32*g:][:32]
			for i, code := range codes {
				q := code>>shift&15 | top[i]>>g&1<<4
				out[i] = float32(scale*float32(q)) - minimum
			}
		}
	}
}

// decodeQ6K: at 0 bits 0 to 3 of the codes, a plane of 64 bytes for every 128
// elements; at 128 bits 4 and 5, a plane of 32 bytes for every 128; at 192 the
// int8 scales of 16 groups of 16; d at 208.
//
//	x[i] = d·s[g]·(q[i] − 32)
func decodeQ6K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[superElements:], src[210:] {
		d := widen(src[208:])
		for g := range 16 {
			scale := d * float32(int8(src[192+g]))
			half, within := g/8, g%8*16 // of the superblock, element in that half
			low := src[half*64+within%64:][:16]
			high := src[128+half*32+within%32:][:16]
			lowShift, highShift := within/64*4, within/32*2
			out := dst[16*g:][:16]
			for i, code := range low {
				q := code>>lowShift&15 | high[i]>>highShift&3<<4
				out[i] = scale * float32(int(q)-32)
			}
		}
	}
}
