package peak

// fmaAVX2 runs n rounds of 12 independent 8-lane multiply-adds.
//
//go:noescape
func fmaAVX2(n int)

// fmaAVX512 runs n rounds of 12 independent 16-lane multiply-adds.
//
//go:noescape
func fmaAVX512(n int)

// fmaLoop picks the loop and tells its lanes.
func fmaLoop(level string) (func(int), int) {
	switch level {
	case "avx512":
		return fmaAVX512, 16
	case "avx2":
		return fmaAVX2, 8
	}
	return fmaGeneric, 1
}
