//go:build unix

package cpu

import (
	"unsafe"

	"zeroth/runtime/op"
)

// intsOf views a buffer as int32.
func intsOf(s []float32) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// boundedCodeCalls has a call for each field of routines that is for products
// of codes.
func boundedCodeCalls() map[string]boundedCall {
	return map[string]boundedCall{
		"codes":   func(r *routines, take taker, n int) { callCodes(&r.codes, take, n, ceilDiv(n, 2)) },
		"codesQ4": func(r *routines, take taker, n int) { callCodes(r.codesFor(op.Q4), take, n, 8) },
		"codesBF16": func(r *routines, take taker, n int) {
			if r.codesBF16.fn != nil {
				callCodes(&r.codesBF16, take, n, ceilDiv(n, 2))
			}
		},
		"roundBF16": func(r *routines, take taker, n int) {
			x, dst := take(n), brains(signed(bytesOf(take(ceilDiv(n, 2)))))
			r.roundBF16(dst[:n], x)
			r.roundBF16(dst[len(dst)-n:], x)
		},
		"largest": func(r *routines, take taker, n int) { r.largest(take(n)) },
		"pairRows": func(r *routines, take taker, n int) {
			r.pairRows(take(n), take(n), take(n), take(n), nil, (*[2]float32)(take(2)))
			take(0) // the buffers of a call are six
			r.pairRows(take(n), take(n), take(n), take(n), take(n), (*[2]float32)(take(2)))
		},
		"roundCodes": func(r *routines, take taker, n int) {
			x, dst := take(n), signed(bytesOf(take(ceilDiv(n, 4))))
			r.roundCodes(dst[:n], x, 3)
			r.roundCodes(dst[len(dst)-n:], x, 3)
		},
		"splitCodes": func(r *routines, take taker, n int) {
			const columns = 16
			for _, ld := range []int{columns, columns + 2} {
				size := n*ld - (ld-columns)*min(n, 1)
				for _, rows := range []int{0, n} { // of base
					split := codeSplit{
						rows: n, columns: columns, c: take(2 * n * columns), scales: take(2 * n), bias: take(size), ldBias: ld,
						base: take(rows * columns), y: [2][]float32{take(size), take(size)}, ldy: [2]int{ld, ld},
					}
					if rows == 0 {
						split.base = nil
					}
					r.splitCodes(split)
				}
			}
		},
		"unpackCodes": func(r *routines, take taker, n int) {
			r.unpackCodes(bytesOf(take(32*n)), bytesOf(take(16*n)), &[16]int8{15: 1})
		},
		"halfScales": func(r *routines, take taker, n int) {
			r.halfScales(take(16*n), 16, bytesOf(take(8*n)))
		},
		"byteScales": func(r *routines, take taker, n int) {
			r.byteScales(take(16*n), 16, bytesOf(take(4*n)), (*[16]float32)(take(16)))
		},
		"widenBrains":  func(r *routines, take taker, n int) { r.widenBrains(take(32*n), bytesOf(take(16*n))) },
		"narrowBrains": func(r *routines, take taker, n int) { r.narrowBrains(bytesOf(take(16*n)), take(32*n)) },
		"ditherBrains": func(r *routines, take taker, n int) {
			r.ditherBrains(bytesOf(take(16*n)), take(32*n), words32(take(32*n)))
		},
		"dither": func(r *routines, take taker, n int) {
			r.dither(words32(take(n)), [2]uint32{1, 2}, 3, uint32(n%5))
		},
		"sumCodes": func(r *routines, take taker, n int) {
			groups := 1 + n%2
			if words := n / groups; words > 0 {
				r.sumCodes(intsOf(take(16*groups)), 16, bytesOf(take(16*words*groups)), 64*words, -128)
			}
		},
	}
}

// callCodes packs rows, as many as there are or whole vectors, and calls a tile
// of two groups of some words.
func callCodes(k *codeKernel, take taker, n, groupWords int) {
	groupWords = roundUp(groupWords, k.step)
	words, ldc := 2*groupWords, k.NR+n%3
	call := func(fn codeFunc, NR int) {
		if k.widen != nil {
			k.widen(bytesOf(take(4*k.wBytes*words)), bytesOf(take(16*words)))
		}
		panel := 16 * k.wBytes * (words + n%3)
		a, b := bytesOf(take(words*k.MR*k.xBytes/4)), bytesOf(take((NR/16-1)*panel/4*min(words, 1)+4*k.wBytes*words))
		k.pack(a, signed(bytesOf(take(words*(k.MR-n%2)))), words*4, k.MR-n%2, words)
		k.pack(a, signed(bytesOf(take(words*roundUp(k.MR, packRows)))), words*4, k.MR, words)
		fn(2, groupWords, unsafe.SliceData(a), unsafe.SliceData(b), panel, &take(2 * NR)[0], &intsOf(take(2 * NR))[0],
			&take((k.MR-1)*ldc + NR)[0], ldc)
	}
	call(k.fn, k.NR)
	if k.half != nil {
		call(k.half, 16)
	}
	for _, column := range codeColumnsOf(k) {
		tile, panel := words*k.MR*k.xBytes, 16*k.wBytes*(words+n%3)
		w := bytesOf(take((k.NR/16-1)*panel/4*min(words, 1) + 4*k.wBytes*words))
		column(3, tile, 2, groupWords, unsafe.SliceData(bytesOf(take(3*tile/4))), unsafe.SliceData(w), panel, &take(2 * k.NR)[0],
			&intsOf(take(2 * k.NR))[0], &take((3*k.MR-1)*ldc + k.NR)[0], ldc, unsafe.SliceData(w), 64, 64)
	}
}
