//go:build !amd64 && !arm64

package peak

// archLoops lists no loops: there is no assembly for this architecture.
func archLoops() []Loop { return nil }

// readLoop reads whole blocks of blockBytes.
func readLoop(string) func(p *byte, blocks int) { return readGeneric }
