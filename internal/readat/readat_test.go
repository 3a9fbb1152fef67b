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
