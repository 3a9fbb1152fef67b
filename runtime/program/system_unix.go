//go:build linux || darwin || freebsd || netbsd || openbsd

package program

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps the first size bytes of a file, read-only or, where they are to be
// written, as pages that are copied then. release unmaps them.
func mapFile(file *os.File, size int, writable bool) (data []byte, release func() error, err error) {
	protection, flags := unix.PROT_READ, unix.MAP_SHARED
	if writable {
		protection, flags = unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE
	}
	data, err = unix.Mmap(int(file.Fd()), 0, size, protection, flags)
	if err != nil {
		return nil, nil, err
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
