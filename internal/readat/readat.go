// Package readat opens regular files and reads exact pieces of them at an offset.
package readat

import (
	"fmt"
	"io"
)

// Full fills buffer from offset on. A file that has shrunk since its size was
// taken gives io.ErrUnexpectedEOF.
func Full(source io.ReaderAt, buffer []byte, offset int64) error {
	count, err := source.ReadAt(buffer, offset)
	if count == len(buffer) {
		return nil // ReadAt may report io.EOF beside a full read
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(buffer), offset, err)
}
