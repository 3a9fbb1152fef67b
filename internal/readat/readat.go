// Package readat opens regular files and reads exact pieces of them at an offset.
package readat

import (
	"fmt"
	"io"
	"sync"
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

// pieceBytes bounds the buffer of Pieces.
const pieceBytes = 256 << 10

// buffers are kept for the next call: a weight that is read block by block
// makes many.
var buffers = sync.Pool{New: func() any { return new([pieceBytes]byte) }}

// Pieces reads size bytes from offset on through a buffer of bounded size and
// gives them to visit in order. Each piece is whole units of unit bytes, of
// which size is a multiple; it is visit's only until visit returns.
func Pieces(source io.ReaderAt, offset, size int64, unit int, visit func(piece []byte)) error {
	buffer := buffers.Get().(*[pieceBytes]byte)
	defer buffers.Put(buffer)
	most := int64(pieceBytes / unit * unit)
	for end := offset + size; offset < end; {
		piece := buffer[:min(most, end-offset)]
		if err := Full(source, piece, offset); err != nil {
			return err
		}
		visit(piece)
		offset += int64(len(piece))
	}
	return nil
}
