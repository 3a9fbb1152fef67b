//go:build !amd64 && !arm64

package cpu

// archRoutines lists this architecture's routines, best first.
func archRoutines() []routines { return nil }
