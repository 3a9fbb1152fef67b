//go:build linux || darwin || freebsd || netbsd || openbsd

package program

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps the first size bytes of a file read-only. release unmaps them.
func mapFile(file *os.File, size int) (data []byte, release func() error, err error) {
	data, err = unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
