package opencl

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
)

// Bits names the kernels of this build: another name is there where one of them was
// changed, and so may be what it computes.
func Bits() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(sources, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		code, err := sources.ReadFile(path)
		sum.Write(code)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}
