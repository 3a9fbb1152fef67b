//go:build unix

package platform

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// PeakResidentBytes is the most physical memory that the process has held,
// mapped files included; 0 where the system does not tell.
func PeakResidentBytes() int64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss) // bytes there, kilobytes elsewhere
	}
	return int64(usage.Maxrss) * 1024
}
