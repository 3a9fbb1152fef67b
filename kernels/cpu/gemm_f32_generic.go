package cpu

import "unsafe"

// gemm4x16Generic is the plain twin of every micro-kernel, with MR = 4 and
// NR = 16:
//
//	c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[k*4+i] * b[k*16+j]
//
// Pairs of columns keep the accumulators in registers.
func gemm4x16Generic(kc int, a, b *float32, _ int, d *float32, ldd int, c *float32, ldc int) {
	as := unsafe.Slice(a, kc*4)
	bs := unsafe.Slice(b, kc*16)
	ds := unsafe.Slice(d, 3*ldd+16)
	cs := unsafe.Slice(c, 3*ldc+16)
	for j := 0; j < 16; j += 2 {
		var c00, c01, c10, c11, c20, c21, c30, c31 float32
		for k := range kc {
			row := as[k*4 : k*4+4 : k*4+4]
			b0, b1 := bs[k*16+j], bs[k*16+j+1]
			c00 += float32(row[0] * b0)
			c01 += float32(row[0] * b1)
			c10 += float32(row[1] * b0)
			c11 += float32(row[1] * b1)
			c20 += float32(row[2] * b0)
			c21 += float32(row[2] * b1)
			c30 += float32(row[3] * b0)
			c31 += float32(row[3] * b1)
		}
		cs[j], cs[j+1] = ds[j]+c00, ds[j+1]+c01
		cs[ldc+j], cs[ldc+j+1] = ds[ldd+j]+c10, ds[ldd+j+1]+c11
		cs[2*ldc+j], cs[2*ldc+j+1] = ds[2*ldd+j]+c20, ds[2*ldd+j+1]+c21
		cs[3*ldc+j], cs[3*ldc+j+1] = ds[3*ldd+j]+c30, ds[3*ldd+j+1]+c31
	}
}

// packGeneric is the plain twin of routines.pack: dst[k*width+i] = src[i*ld+k].
// It fills the rows past rows with zero.
func packGeneric(dst, src []float32, ld, rows, width, kc int) {
	rows = min(rows, width)
	dst = dst[:kc*width]
	i := 0
	for ; i+2 <= rows; i += 2 {
		packPair(dst[min(i, len(dst)):], src[i*ld:][:kc], src[(i+1)*ld:][:kc], width)
	}
	if i < rows {
		for k, v := range src[i*ld:][:kc] {
			dst[k*width+i] = v
		}
	}
	for i = rows; i < width; i++ {
		for k := range kc {
			dst[k*width+i] = 0
		}
	}
}

// packPair writes two rows side by side: dst[k*width] = a[k], dst[k*width+1] = b[k].
func packPair(dst, a, b []float32, width int) {
	b = b[:len(a)]
	for k, v := range a {
		pair := dst[k*width : k*width+2 : k*width+2]
		pair[0], pair[1] = v, b[k]
	}
}
