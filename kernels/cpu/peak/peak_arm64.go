package peak

// fmaNEON runs n rounds of 12 independent 4-lane multiply-adds.
//
//go:noescape
func fmaNEON(n int)

// fmaLoop picks the loop and tells its lanes.
func fmaLoop(level string) (func(int), int) {
	if level == "neon" {
		return fmaNEON, 4
	}
	return fmaGeneric, 1
}
