package readat

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFull(t *testing.T) {
	source := strings.NewReader("0123456789")
	buffer := make([]byte, 4)
	for _, c := range []struct {
		offset int64
		want   string
		err    error
	}{
		{0, "0123", nil},
		{6, "6789", nil}, // the end of the file with it
		{7, "", io.ErrUnexpectedEOF},
		{99, "", io.ErrUnexpectedEOF},
	} {
		err := Full(source, buffer, c.offset)
		if !errors.Is(err, c.err) || c.err == nil && string(buffer) != c.want {
			t.Errorf("at %d: %q, %v", c.offset, buffer, err)
		}
	}
	if err := Full(source, nil, 3); err != nil {
		t.Errorf("nothing to read: %v", err)
	}
}

func TestPieces(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 3*pieceBytes/16+1)
	source := strings.NewReader(content)
	for _, c := range []struct {
		offset, size int64
		unit         int
	}{{0, 0, 1}, {3, 7, 7}, {5, 3 * pieceBytes, 1}, {1, 7 * (pieceBytes/7 + 1), 7}, {2, 2 * pieceBytes, pieceBytes}} {
		var read strings.Builder
		err := Pieces(source, c.offset, c.size, c.unit, func(piece []byte) {
			if len(piece)%c.unit != 0 || len(piece) > pieceBytes {
				t.Errorf("piece of %d bytes, units of %d", len(piece), c.unit)
			}
			read.Write(piece)
		})
		if err != nil || read.String() != content[c.offset:c.offset+c.size] {
			t.Errorf("%d bytes at %d: %d read, %v", c.size, c.offset, read.Len(), err)
		}
	}
	if err := Pieces(source, int64(len(content))-4, 8, 4, func([]byte) {}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("past the end: %v", err)
	}
}
