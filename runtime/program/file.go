package program

import (
	"fmt"
	"io"
	"math"
	"os"

	"zeroth/internal/readat"
)

// File is an open program file.
type File struct {
	// Program is verified. Its constants lie in the mapped file and must not
	// be used after Close.
	Program *Program
	release func() error
}

// Open maps a program file read-only and verifies all of it before it
// returns, hashes included. Where files cannot be mapped, it is read into
// memory instead.
//
// The file must not be changed or shortened while it is open; Write does not,
// since it replaces files as a whole.
func Open(path string) (*File, error) { return open(path, false) }

// OpenWritable is Open for constants that will be written to, as the Data of
// slots. The mapping is copied page by page as it is written; the file stays as
// it is.
func OpenWritable(path string) (*File, error) { return open(path, true) }

func open(path string, writable bool) (*File, error) {
	file, size, err := readat.Open(path)
	if readat.IsUseless(err) {
		return nil, fmt.Errorf("%w: %w", err, ErrFormat)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() // a mapping outlives it
	if size < prologueBytes || size > math.MaxInt {
		return nil, fmt.Errorf("%s: file: %d bytes, a program file has at least %d: %w", path, size, prologueBytes, ErrFormat)
	}
	data, release, err := load(file, int(size), writable)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p, err := Parse(data)
	if err != nil {
		_ = release() // the error to report is why the program is refused
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{Program: p, release: release}, nil
}

// Close unmaps the file. Closing it again does nothing.
func (f *File) Close() error {
	if f.release == nil {
		return nil
	}
	release := f.release
	f.release = nil
	return release()
}

// load maps a file, or else reads it.
func load(file *os.File, size int, writable bool) (data []byte, release func() error, err error) {
	if data, release, err = mapFile(file, size, writable); err == nil {
		return data, release, nil
	}
	if data, err = readAligned(file, size); err != nil {
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}

// readAligned reads size bytes to memory that begins at a multiple of Alignment.
func readAligned(from io.Reader, size int) ([]byte, error) {
	data := alignedBytes(size)
	if _, err := io.ReadFull(from, data); err != nil {
		return nil, err
	}
	return data, nil
}
