package peak

// fmaNEON: 12 · 4 f32 multiply-adds a round.
//
//go:noescape
func fmaNEON(n int)

// sdotNEON: 12 · 16 i8 multiply-adds a round.
//
//go:noescape
func sdotNEON(n int)

// smmlaNEON: 12 · 32 i8 multiply-adds a round.
//
//go:noescape
func smmlaNEON(n int)

// bfmmlaNEON: 12 · 16 bf16 multiply-adds a round.
//
//go:noescape
func bfmmlaNEON(n int)

// smullNEON: 12 · 16 i8 multiply-adds a round.
//
//go:noescape
func smullNEON(n int)

// readNEON reads blocks of 256 bytes from p on.
//
//go:noescape
func readNEON(p *byte, blocks int)

// archLoops lists this architecture's loops, best first.
func archLoops() []Loop {
	return []Loop{
		{"SMMLA 4s", "i8", "i8mm", 12 * 32 * 2, smmlaNEON},
		{"SDOT 4s", "i8", "dotprod", 12 * 16 * 2, sdotNEON},
		{"SMULL+SMLAL2+SADALP", "i8", "neon", 12 * 16 * 2, smullNEON},
		{"BFMMLA 4s", "bf16", "bf16", 12 * 16 * 2, bfmmlaNEON},
		{"FMLA 4s", "f32", "neon", 12 * 4 * 2, fmaNEON},
	}
}

// readLoop reads whole blocks of blockBytes with the vectors of a level.
func readLoop(level string) func(p *byte, blocks int) {
	if level == "generic" {
		return readGeneric
	}
	return readNEON
}
