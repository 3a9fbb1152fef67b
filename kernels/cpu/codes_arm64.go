package cpu

// The codeKernels of this architecture.
var (
	code4x16 = codeKernel{
		name: "4x16_neon", MR: 4, NR: 16, fn: code4x16NEON, pack: packQuads(4), xBytes: 4, wBytes: 4, step: 2,
	}
	code6x16 = codeKernel{
		name: "6x16_dotprod", MR: 6, NR: 16, fn: code6x16DotProd, pack: packQuads(6), xBytes: 4, wBytes: 4, step: 1,
	}
	code12x16 = codeKernel{
		name: "12x16_i8mm", MR: 12, NR: 16, fn: code12x16I8MM, pack: packOctets(12), xBytes: 4, wBytes: 4, step: 2,
	}
)

// packOctets is the pack of a codeKernel with MR rows that reads two words of a
// row at a time: word v of row i at (v/2·MR·2 + i·2 + v%2)·4.
func packOctets(MR int) func(dst []byte, codes []int8, ld, rows, words int) {
	return func(dst []byte, codes []int8, ld, rows, words int) {
		for i := range min(rows, MR) {
			row := codes[i*ld:][:words*4]
			for v := 0; v < words; v += 2 {
				octet := row[v*4:][:8]
				at := dst[(v*MR+i*2)*4:][:8]
				for b, code := range octet {
					at[b] = byte(code)
				}
			}
		}
	}
}

// code4x16NEON is a codeFunc with MR 4, NR 16 and step 2 for processors without
// dot products. No code of x may be −128.
//
//go:noescape
func code4x16NEON(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)

// code6x16DotProd is a codeFunc with MR 6 and NR 16.
//
//go:noescape
func code6x16DotProd(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)

// code12x16I8MM is a codeFunc with MR 12, NR 16 and step 2.
//
//go:noescape
func code12x16I8MM(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
