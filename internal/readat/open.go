package readat

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

var (
	// ErrNotRegular: the path is a folder, a pipe or a device.
	ErrNotRegular = errors.New("not a regular file")
	// ErrPointer: the file only stands for another, which was never fetched.
	ErrPointer = errors.New("a pointer of Git LFS, not the file itself: fetch that with git lfs pull")
)

// A pointer is a few lines of text, the first of which begins so.
const (
	pointerStart    = "version https://git-lfs.github.com/spec/"
	maxPointerBytes = 1024
)

// IsUseless tells whether err is of a path that is no regular file, or one that
// stands for another: the user gave, or has, the wrong thing.
func IsUseless(err error) bool {
	return errors.Is(err, ErrNotRegular) || errors.Is(err, ErrPointer)
}

// Open opens the regular file at path for reading and returns its size. What is
// no regular file gives an error that wraps [ErrNotRegular], a pointer of Git LFS
// one that wraps [ErrPointer].
func Open(path string) (*os.File, int64, error) {
	return open(path, os.Stat, os.Open)
}

// OpenIn is Open of a name below root, which nothing leads out of.
func OpenIn(root *os.Root, name string) (*os.File, int64, error) {
	return open(name, root.Stat, root.Open)
}

// Parse opens the regular file at path and gives it to parse, with its size. The
// file stays open unless there is an error, which names the path; where it [IsUseless]
// the error wraps invalid, too.
func Parse[T any](path string, invalid error, parse func(file *os.File, size int64) (T, error)) (T, error) {
	var none T
	file, size, err := Open(path)
	if IsUseless(err) {
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
	if err == nil && IsPointer(file, info.Size()) {
		err = fmt.Errorf("%s: %w", name, ErrPointer)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// IsPointer reports whether a regular file of a size begins as a pointer of Git LFS
// does.
func IsPointer(file io.ReaderAt, size int64) bool {
	if size < int64(len(pointerStart)) || size > maxPointerBytes {
		return false
	}
	start := make([]byte, len(pointerStart))
	return Full(file, start, 0) == nil && string(start) == pointerStart
}
