package gpu

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
)

// CodeName names what a device's kernels are made of, which is embedded: another name
// is there where a file was changed, and so may be what they compute.
func CodeName(files fs.FS) string {
	sum := sha256.New()
	_ = fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			code, _ := fs.ReadFile(files, path) // embedded: it can be read
			sum.Write([]byte(path + "\x00"))
			sum.Write(code)
		}
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
