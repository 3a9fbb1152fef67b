package prefix

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zeroth/internal/bytesize"
	"zeroth/internal/filelock"
)

// suffix ends the names of files in a folder; before it stand 32 digits.
const suffix = ".prefix"

// nameOf names the file of an identity.
func nameOf(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:16]) + suffix
}

// OpenIn is Open for a file in a folder, which is made if need be, where those of
// other identities lie beside it. The budget is for all of them together: where
// there is no room for a sequence, the files that were opened least lately are
// removed, but none that is open.
func OpenIn(folder string, o Options) (*Cache, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	name := nameOf(o.Identity)
	c, err := Open(filepath.Join(folder, name), o)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	_ = os.Chtimes(filepath.Join(folder, name), now, now) // else it is only taken for older
	c.beside = &beside{folder: folder, but: name, notice: c.options.Notice}
	return c, nil
}

// beside is what else lies in a cache's folder. Others may be written to at the same
// time, so it is looked up whenever it matters.
type beside struct {
	folder, but string // but: the cache's own file
	notice      func(line string)
}

// list finds the files of the folder that are caches, the least lately used first,
// and their bytes.
func (b *beside) list() (files []fs.FileInfo, bytes int64, err error) {
	entries, err := os.ReadDir(b.folder)
	if err != nil {
		return nil, 0, err
	}
	for _, entry := range entries {
		if entry.Name() == b.but || !isName(entry.Name()) || !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // removed meanwhile
		}
		files = append(files, info)
		bytes += info.Size()
	}
	slices.SortStableFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	return files, bytes, nil
}

func isName(name string) bool {
	stem, ends := strings.CutSuffix(name, suffix)
	digits, err := hex.DecodeString(stem)
	return ends && err == nil && len(digits) == 16
}

// leave removes files until what is there has so many bytes at most. It reports
// whether it has. Where nothing lies beside the cache that is so from 0 on.
func (b *beside) leave(most int64) (bool, error) {
	if b == nil || most < 0 {
		return most >= 0, nil
	}
	files, bytes, err := b.list()
	if err != nil {
		return false, err
	}
	for _, info := range files {
		if bytes <= most {
			break
		}
		path := filepath.Join(b.folder, info.Name())
		if removeUnused(path) {
			bytes -= info.Size()
			b.notice(fmt.Sprintf("%s of %s, not used since %s, was removed to make room", path, bytesize.Format(info.Size()), info.ModTime().Format(time.DateTime)))
		}
	}
	return bytes <= most, nil
}

// removeUnused removes a cache's file, unless it is open or not ours. Whoever opens
// it between the two goes on with a file that nobody finds again.
func removeUnused(path string) bool {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	var head [len(magic)]byte
	n, _ := file.ReadAt(head[:], 0) // what cannot be read is not ours
	err = filelock.Lock(file)
	file.Close()
	return err == nil && string(head[:n]) == magic && os.Remove(path) == nil
}
