//go:build !amd64

package peak

// fmaLoop picks the loop and tells its lanes.
func fmaLoop(_, _ bool) (func(int), int) { return fmaGeneric, 1 }
