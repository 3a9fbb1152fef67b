package peak

// fmaNEON: 12 · 4 f32 multiply-adds a round.
//
//go:noescape
func fmaNEON(n int)

// readNEON reads blocks of 256 bytes from p on.
//
//go:noescape
func readNEON(p *byte, blocks int)

// archLoops lists this architecture's loops, best first.
func archLoops() []Loop {
	return []Loop{{"FMLA 4s", "f32", "neon", 12 * 4 * 2, fmaNEON}}
}

// readLoop reads whole blocks of blockBytes with the vectors of a level.
func readLoop(level string) func(p *byte, blocks int) {
	if level == "generic" {
		return readGeneric
	}
	return readNEON
}
