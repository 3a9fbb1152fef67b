package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Folder makes the folder path, which must not exist, with what fill puts into
// the folder it is handed: a temporary one beside path, which is renamed when
// fill is done. Where anything fails the temporary folder is removed. Folders
// above path are made where they are missing. Files should be written by
// [Write], so that they reach the disk before the name.
func Folder(path string, fill func(folder string) error) (err error) {
	path = filepath.Clean(path)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = &fs.PathError{Op: "mkdir", Path: path, Err: fs.ErrExist}
		}
		return err
	}
	temporary := temporaryName(path)
	if err := os.MkdirAll(temporary, 0o777); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(temporary)
		}
	}()
	if err := fill(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// RemoveTemporary removes from a folder the temporary files and folders of a
// process that was killed. No other process may be writing to the folder; one
// that does not exist has none.
func RemoveTemporary(folder string) error {
	return removeTemporary(folder, func(fs.DirEntry) bool { return true })
}

// RemoveTemporaryBefore is RemoveTemporary of what was last changed before then,
// for folders to which other processes may be writing.
func RemoveTemporaryBefore(folder string, then time.Time) error {
	return removeTemporary(folder, func(entry fs.DirEntry) bool {
		info, err := entry.Info()
		return err == nil && info.ModTime().Before(then)
	})
}

func removeTemporary(folder string, which func(entry fs.DirEntry) bool) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if isTemporary(entry.Name()) && which(entry) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, entry.Name())))
		}
	}
	return err
}

// isTemporary knows ".NAME.RANDOM.tmp", RANDOM being at least the 26 characters
// of base 32 that crypto/rand gives.
func isTemporary(name string) bool {
	stem, ends := strings.CutSuffix(name, ".tmp")
	dot := strings.LastIndexByte(stem, '.')
	return ends && dot > 1 && stem[0] == '.' && len(stem)-dot-1 >= 26 &&
		strings.Trim(stem[dot+1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
