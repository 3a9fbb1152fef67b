//go:build !linux

package cpu

// hwcapFeatures has no auxiliary vector to read here.
func hwcapFeatures() (Features, bool) { return Features{}, false }
