//go:build !unix

package platform

// PeakResidentBytes is the most physical memory that the process has held; 0
// on systems that do not tell.
func PeakResidentBytes() int64 { return 0 }
