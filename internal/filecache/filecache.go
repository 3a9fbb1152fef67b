package filecache

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zeroth/internal/atomicfile"
	"zeroth/internal/readat"
)

// Folder is where pieces are kept.
type Folder struct {
	Path  string // made when it is needed; empty: nothing is kept
	Magic string // begins all of its files
	// MaxBytes bounds all files together. A piece that is larger is not kept.
	MaxBytes int64
}

// Key is a hash of what a piece depends on.
func Key(parts ...string) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range parts {
		_ = binary.Write(h, binary.LittleEndian, uint64(len(part)))
		_, _ = io.WriteString(h, part)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

const suffix = ".bin"

func (f Folder) path(key [sha256.Size]byte) string {
	return filepath.Join(f.Path, hex.EncodeToString(key[:])+suffix)
}

func (f Folder) headerBytes() int { return len(f.Magic) + sha256.Size }

// Read gives the piece that was kept, if it is whole.
func (f Folder) Read(key [sha256.Size]byte) ([]byte, bool) {
	if f.Path == "" {
		return nil, false
	}
	path, header := f.path(key), f.headerBytes()
	file, size, err := readat.Open(path)
	if err != nil {
		return nil, false
	}
	defer file.Close()
	if size < int64(header) || size > f.MaxBytes {
		return nil, false
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, false
	}
	sum := sha256.Sum256(data[header:])
	if string(data[:header]) != f.Magic+string(sum[:]) {
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // what is used stays
	return data[header:], true
}

// Write keeps a piece, and removes others where there is too much.
func (f Folder) Write(key [sha256.Size]byte, data []byte) {
	if f.Path == "" || int64(len(data)+f.headerBytes()) > f.MaxBytes || os.MkdirAll(f.Path, 0o700) != nil {
		return
	}
	sum := sha256.Sum256(data)
	if atomicfile.WriteBytes(f.path(key), slices.Concat([]byte(f.Magic), sum[:], data)) == nil {
		f.sweep()
	}
}

// abandonedAfter is the age of a temporary file that nobody can be writing any
// more.
const abandonedAfter = time.Hour

// sweep removes the files that were used least lately, beyond MaxBytes, and what
// processes that were killed have left. What another process removes first, or
// has opened where that forbids it, is passed over.
func (f Folder) sweep() {
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		return
	}
	var files []os.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !isOurs(e.Name()) {
			continue
		}
		files = append(files, info)
	}
	slices.SortStableFunc(files, func(a, b os.FileInfo) int { return cmp.Compare(b.ModTime().UnixNano(), a.ModTime().UnixNano()) })
	bytes := int64(0)
	for _, info := range files {
		if bytes += info.Size(); bytes > f.MaxBytes {
			_ = os.Remove(filepath.Join(f.Path, info.Name()))
		}
	}
	_ = atomicfile.RemoveTemporaryBefore(f.Path, time.Now().Add(-abandonedAfter))
}

// isOurs reports whether a file is named for a key.
func isOurs(name string) bool {
	stem, ends := strings.CutSuffix(name, suffix)
	key, err := hex.DecodeString(stem)
	return ends && err == nil && len(key) == sha256.Size
}
