package cpu

// fetchLoop begins to bring into the second cache the line at b and those behind
// it. lines is at least 1.
//
//go:noescape
func fetchLoop(b *byte, lines int)

// fetchLines is routines.fetch.
func fetchLines(b []byte) {
	if len(b) > 0 {
		fetchLoop(&b[0], ceilDiv(len(b), 4*lineElements))
	}
}
