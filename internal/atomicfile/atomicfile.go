// Package atomicfile replaces files, and makes folders, as a whole: at any time a
// path holds what it held before or the complete new thing, through crashes and
// power cuts. A process that is killed may leave a temporary file or folder
// beside the path; [RemoveTemporary] takes those away.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Write gives path the contents that write puts into the file it is handed: a
// temporary one in the same folder, which reaches the disk and is then renamed.
// Where anything fails the temporary file is removed and path is as it was. What
// is there and is no regular file, such as a device or a pipe, is written into.
func Write(path string, write func(file *os.File) error) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return writeInto(path, write)
	}
	// Not os.CreateTemp: its mode 0600 would stay with the finished file.
	temporary := temporaryName(path)
	file, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nameIn(err, path)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	if err = write(file); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = os.Rename(temporary, path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// writeInto writes to a device or a pipe, which cannot be replaced.
func writeInto(path string, write func(file *os.File) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// temporaryName is a new name beside path, one that isTemporary knows again.
func temporaryName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()+".tmp")
}

// nameIn makes an error about the temporary file one about path, which is the
// name that the user knows.
func nameIn(err error, path string) error {
	var about *fs.PathError
	if errors.As(err, &about) {
		return &fs.PathError{Op: about.Op, Path: path, Err: about.Err}
	}
	return err
}

// WriteBytes is Write of data.
func WriteBytes(path string, data []byte) error {
	return Write(path, func(file *os.File) error {
		_, err := file.Write(data)
		return err
	})
}

// SyncFolder makes the names in a folder last through a power cut. Windows has
// no such call and needs none.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
