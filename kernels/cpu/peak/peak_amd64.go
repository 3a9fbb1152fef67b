package peak

// fmaAVX2: 12 · 8 f32 multiply-adds a round.
//
//go:noescape
func fmaAVX2(n int)

// maddwdAVX2: 12 · 16 i16 multiply-adds a round, exact for i8.
//
//go:noescape
func maddwdAVX2(n int)

// maddubswAVX2: 12 · 32 multiply-adds of i8 with q4 a round, whose pairs add up
// as i16.
//
//go:noescape
func maddubswAVX2(n int)

// dpbusdAVXVNNI: 12 · 32 i8 multiply-adds a round.
//
//go:noescape
func dpbusdAVXVNNI(n int)

// fmaAVX512: 12 · 16 f32 multiply-adds a round.
//
//go:noescape
func fmaAVX512(n int)

// dpbusdAVX512: 12 · 64 i8 multiply-adds a round.
//
//go:noescape
func dpbusdAVX512(n int)

// dpbf16AVX512: 12 · 32 bf16 multiply-adds a round.
//
//go:noescape
func dpbf16AVX512(n int)

// readAVX2 reads blocks of 256 bytes from p on.
//
//go:noescape
func readAVX2(p *byte, blocks int)

// archLoops lists this architecture's loops, best first.
func archLoops() []Loop {
	return []Loop{
		{"VPDPBUSD zmm", "i8", "avx512vnni", 12 * 64 * 2, dpbusdAVX512},
		{"VDPBF16PS zmm", "bf16", "avx512bf16", 12 * 32 * 2, dpbf16AVX512},
		{"VFMADD231PS zmm", "f32", "avx512", 12 * 16 * 2, fmaAVX512},
		{"VPDPBUSD ymm", "i8", "avxvnni", 12 * 32 * 2, dpbusdAVXVNNI},
		{"VPMADDUBSW+VPADDW ymm", "q4", "avx2", 12 * 32 * 2, maddubswAVX2},
		{"VPMADDWD+VPADDD ymm", "i8", "avx2", 12 * 16 * 2, maddwdAVX2},
		{"VFMADD231PS ymm", "f32", "avx2", 12 * 8 * 2, fmaAVX2},
	}
}

// readLoop reads whole blocks of blockBytes with the vectors of a level.
func readLoop(level string) func(p *byte, blocks int) {
	if level == "generic" {
		return readGeneric
	}
	return readAVX2
}
