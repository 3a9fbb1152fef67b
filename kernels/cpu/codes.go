package cpu

import "zeroth/runtime/op"

// codeKernel computes one tile of a product of codes in registers: signed bytes
// of x with those of W, summed as integers and scaled by groups of columns.
//
//	for g := range groups {
//		for i := range MR {
//			for j := range NR {
//				acc := start[g*NR+j]
//				for k := 4*words*g; k < 4*words*(g+1); k++ {
//					acc += x[i, k] * w[j, k]
//				}
//				c[i*ldc+j] += scales[g*NR+j] * float32(acc)
//			}
//		}
//	}
//
// w is a panel of bytes as it lies in the file: column k of row j is byte
// j/16·panel + k/4·64 + j%16·4 + k%4 of b; or it is what widen makes of that. x is
// in the order that pack gives it. groups is at least 1.
// Products and sums of float32 are rounded one by one or fused, always alike.
//
// A codeKernel for bf16 does the same with two bfloat16 in place of the four
// bytes of a word. Its sums are float32; start and scales, which would be 0 and 1,
// it need not read.
type codeKernel struct {
	name   string // tile and instruction set: "3x16_avx2"
	MR, NR int    // MR is even; NR is 16, or 32: two adjacent panels
	fn     codeFunc
	// half is the same with NR = 16, for the odd panel at the end; nil where
	// NR is 16.
	half codeFunc
	// column runs fn for tiles one below the other; nil where that gains nothing.
	column codeColumn
	// narrow is column for processors that load 64 bits at a time; nil where column
	// serves them as well.
	narrow codeColumn
	// pack writes a panel of MR rows and words·4 columns of codes, row i at
	// codes[i*ld], in the order that fn reads, xBytes for a row's word. Rows
	// past rows are undefined: their products are thrown away.
	pack   func(dst []byte, codes []int8, ld, rows, words int)
	xBytes int
	// widen writes a panel of words, 64 bytes each, in the order that fn reads,
	// 16·wBytes for a word. It is nil where fn reads the file's own order, and
	// wBytes 4.
	widen  func(dst, words []byte)
	wBytes int
	// shift is what pack adds to a code, 0 or 128. fn's sums are then too large
	// by shift·Σ w, which start must take away.
	shift int32
	// step divides the words that fn takes in a group.
	step int
}

// codeFunc is the function of a codeKernel. words counts those of one group.
type codeFunc func(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)

// codeColumn is a codeFunc for tiles one below the other, tiles ≥ 1 of them: tile t
// with a[t*stride:] and c[t*MR*ldc:]. With every codeColumnStep words it begins to
// bring a line of memory for each panel of b into the second cache, at next and
// apart bytes behind it first and then step bytes further each time; it reads
// nothing there.
type codeColumn func(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// codeColumnStep is how many words a codeColumn takes at a time.
const codeColumnStep = 2

// packRows is a multiple of the rows of x that pack may read at once: it reads,
// and ignores, those past MR.
const packRows = 8

// codesFor is the micro-kernel for W of type d, or nil where there is none.
func (r *routines) codesFor(d op.DType) *codeKernel {
	var k *codeKernel
	switch d {
	case op.BF16:
		k = &r.codesBF16
	case op.Q4:
		if k = &r.codesQ4; k.fn == nil {
			k = &r.codes
		}
	case op.I8, op.NF4:
		k = &r.codes
	}
	if k == nil || k.fn == nil {
		return nil
	}
	return k
}

// codeWords is the number of words in a row of x for W: of four codes, or of two
// bfloat16.
func (k *codeKernel) codeWords(w *op.Panels) int {
	perWord := max(w.DType.Word()/4, 1) // words of x for one of W
	return roundUp(w.Words*perWord, k.step)
}

// wordColumns is how many columns of K a word of x for W of type d has.
func wordColumns(d op.DType) int { return min(d.Word(), 4) }

// Blocking of a product of codes: a block of x and a slice of a panel take as
// many bytes as those of float32 do.
const (
	maxCodeBytes     = 1280 // of a row of packed x in a block
	codeColumns      = 256
	leastCodeColumns = 64
	groupWords       = packedGroup / 4
	mostGroups       = maxCodeBytes / 32
	maxCodeWords     = maxCodeBytes / 4
	mostWordBytes    = 8 // xBytes and wBytes of any kernel
	codeTileGroup    = 8 // tiles of x rounded in one task
)

// depth cuts words into equal parts that begin with a group, each of at most
// maxCodeBytes of a packed row of x and of W, and of a group where there are no
// words. The sums of I8 are rounded where a part ends, so its parts are the same for
// every kernel.
func (k *codeKernel) depth(words int, d op.DType) int {
	most := maxCodeBytes / max(k.xBytes, k.wBytes)
	if d == op.I8 {
		most = maxCodeBytes / mostWordBytes
	}
	return roundUp(ceilDiv(max(words, 1), max(ceilDiv(words, most), 1)), groupWords)
}

// code4x16Generic is a codeFunc with MR 4 and NR 16 over codes of x that
// packQuads wrote.
func code4x16Generic(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	const MR, NR = 4, 16
	x, w := bytesAt(a, groups*words*4*MR), bytesAt(b, groups*words*4*NR)
	scale, first := floatsAt(scales, groups*NR), intsAt(start, groups*NR)
	y := floatsAt(c, (MR-1)*ldc+NR)
	for g := range groups {
		for i := range MR {
			for j := range NR {
				acc := first[g*NR+j]
				for v := g * words; v < (g+1)*words; v++ {
					xWord, wWord := x[(v*MR+i)*4:][:4], w[(v*NR+j)*4:][:4]
					acc += int32(int8(xWord[0]))*int32(int8(wWord[0])) + int32(int8(xWord[1]))*int32(int8(wWord[1])) +
						int32(int8(xWord[2]))*int32(int8(wWord[2])) + int32(int8(xWord[3]))*int32(int8(wWord[3]))
				}
				y[i*ldc+j] += float32(scale[g*NR+j] * float32(acc))
			}
		}
	}
}

// packQuads is the pack of a codeKernel with MR rows that reads codes as they
// are: word v of row i at (v·MR + i)·4.
func packQuads(MR int) func(dst []byte, codes []int8, ld, rows, words int) {
	return func(dst []byte, codes []int8, ld, rows, words int) {
		for i := range min(rows, MR) {
			row := codes[i*ld:][:words*4]
			for v := range words {
				word := row[v*4:][:4]
				at := dst[(v*MR+i)*4:][:4]
				at[0], at[1], at[2], at[3] = byte(word[0]), byte(word[1]), byte(word[2]), byte(word[3])
			}
		}
	}
}
