package readat

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrNotRegular: the path is a folder, a pipe or a device.
var ErrNotRegular = errors.New("not a regular file")

// Open opens the regular file at path for reading and returns its size. What is
// no regular file gives an error that wraps [ErrNotRegular].
func Open(path string) (*os.File, int64, error) {
	return open(path, os.Stat, os.Open)
}

// OpenIn is Open of a name below root, which nothing leads out of.
func OpenIn(root *os.Root, name string) (*os.File, int64, error) {
	return open(name, root.Stat, root.Open)
}

// Parse opens the regular file at path and gives it to parse, with its size. The
// file stays open unless there is an error, which names the path; where it is no
// regular file the error wraps invalid, too.
func Parse[T any](path string, invalid error, parse func(file *os.File, size int64) (T, error)) (T, error) {
	var none T
	file, size, err := Open(path)
	if errors.Is(err, ErrNotRegular) {
		return none, fmt.Errorf("%w: %w", err, invalid)
	}
	if err != nil {
		return none, err
	}
	parsed, err := parse(file, size)
	if err != nil {
		return none, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return parsed, nil
}

func open(name string, stat func(string) (fs.FileInfo, error), openFile func(string) (*os.File, error)) (*os.File, int64, error) {
	// Looked at before it is opened: opening a named pipe would wait forever.
	info, err := stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: %w", name, ErrNotRegular)
	}
	file, err := openFile(name)
	if err != nil {
		return nil, 0, err
	}
	// Another file may have taken the name since.
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", name, ErrNotRegular)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}
