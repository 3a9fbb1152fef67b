//go:build !unix

package bench

// processorSeconds is 0: this system is not asked.
func processorSeconds() float64 { return 0 }
