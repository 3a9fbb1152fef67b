package data

import (
	"fmt"
	"os"

	"zeroth/internal/readat"
)

// open opens a file, or a pipe, that a user gave. A pointer of Git LFS is refused: as
// plain text it would be trained on.
func open(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && readat.IsPointer(file, info.Size()) {
		err = fmt.Errorf("%s: %w: %w", path, readat.ErrPointer, ErrFormat)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
