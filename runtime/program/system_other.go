//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package program

import (
	"errors"
	"os"
)

// mapFile fails here, so that files are read into memory.
func mapFile(*os.File, int, bool) (data []byte, release func() error, err error) {
	return nil, nil, errors.ErrUnsupported
}
