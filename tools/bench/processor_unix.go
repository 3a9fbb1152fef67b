//go:build unix

package bench

import "golang.org/x/sys/unix"

// processorSeconds is the time that processors have spent on this process.
func processorSeconds() float64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
