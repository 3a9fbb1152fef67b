package program

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// replaceFile writes a file so that path is at any time what it was before, or
// the whole new file: into a temporary file of the same folder, synced, then
// renamed. The temporary file is removed where that fails.
func replaceFile(path string, write func(file *os.File) error) (err error) {
	folder, base := filepath.Split(path)
	// Not os.CreateTemp, whose files only their owner may read.
	temporary := filepath.Join(folder, fmt.Sprintf(".%s.%016x.tmp", base, rand.Uint64()))
	file, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close() // twice where closing failed: then both say the same
			_ = os.Remove(temporary)
		}
	}()
	if err := write(file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
