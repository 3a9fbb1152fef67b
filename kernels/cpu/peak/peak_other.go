//go:build !amd64 && !arm64

package peak

// fmaLoop picks the loop and tells its lanes.
func fmaLoop(string) (func(int), int) { return fmaGeneric, 1 }
