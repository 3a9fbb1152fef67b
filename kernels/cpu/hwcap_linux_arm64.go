package cpu

import "golang.org/x/sys/unix"

// Keys of the auxiliary vector and bits of their values, from Linux's
// include/uapi/linux/auxvec.h and arch/arm64/include/uapi/asm/hwcap.h.
const (
	atHWCAP  = 16
	atHWCAP2 = 26

	hwcapASIMDDP = 1 << 20
	hwcap2I8MM   = 1 << 13
	hwcap2BF16   = 1 << 14
)

// hwcapFeatures reads the features from the vector that the kernel handed to
// the process at its start. /proc/self/auxv holds the same, but an Android app
// may not be allowed to read it.
func hwcapFeatures() (Features, bool) {
	vector, err := unix.Auxv()
	if err != nil {
		return Features{}, false
	}
	var hwcap, hwcap2 uintptr
	for _, entry := range vector {
		switch entry[0] {
		case atHWCAP:
			hwcap = entry[1]
		case atHWCAP2:
			hwcap2 = entry[1]
		}
	}
	return Features{
		NEON:    true,
		DotProd: hwcap&hwcapASIMDDP != 0,
		I8MM:    hwcap2&hwcap2I8MM != 0,
		BF16:    hwcap2&hwcap2BF16 != 0,
	}, hwcap != 0
}
