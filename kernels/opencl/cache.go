package opencl

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"

	"zeroth/internal/atomicfile"
	"zeroth/internal/readat"
	"zeroth/kernels/opencl/cl"
)

// cache keeps built programs in a folder, one a file: magic, the SHA-256 of the
// rest, the binary. A file is named for all that it depends on: the driver, the
// device, the source and the options. One that is damaged is not used.
type cache struct {
	folder string // empty: nothing is kept
	driver []string
}

const (
	cacheMagic  = "zeroth opencl 1\n"
	cacheHeader = len(cacheMagic) + sha256.Size
	// maxCached bounds what is read of a file.
	maxCached = 64 << 20
)

// newCache keeps programs of a device in a folder, made when it is needed; empty
// means one in the user's cache folder. Where there is none, nothing is kept.
func newCache(folder string, p *cl.Physical) cache {
	if folder == "" {
		if user, err := os.UserCacheDir(); err == nil {
			folder = filepath.Join(user, "zeroth", "opencl")
		}
	}
	return cache{folder, []string{p.Platform, p.Vendor, p.Name, p.Version, p.Driver}}
}

// path is the file of a program.
func (c cache) path(source, options string) string {
	h := sha256.New()
	for _, part := range append([]string{source, options}, c.driver...) {
		_ = binary.Write(h, binary.LittleEndian, uint64(len(part)))
		_, _ = io.WriteString(h, part)
	}
	return filepath.Join(c.folder, hex.EncodeToString(h.Sum(nil))+".bin")
}

// read gives the binary that was kept, if it is whole.
func (c cache) read(source, options string) ([]byte, bool) {
	if c.folder == "" {
		return nil, false
	}
	file, size, err := readat.Open(c.path(source, options))
	if err != nil {
		return nil, false
	}
	defer file.Close()
	if size <= int64(cacheHeader) || size > maxCached {
		return nil, false
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, false
	}
	sum := sha256.Sum256(data[cacheHeader:])
	if string(data[:len(cacheMagic)]) != cacheMagic || string(data[len(cacheMagic):cacheHeader]) != string(sum[:]) {
		return nil, false
	}
	return data[cacheHeader:], true
}

// write keeps a binary. It may fail without harm.
func (c cache) write(source, options string, program []byte) {
	if c.folder == "" || len(program)+cacheHeader > maxCached || os.MkdirAll(c.folder, 0o700) != nil {
		return
	}
	sum := sha256.Sum256(program)
	data := append([]byte(cacheMagic), sum[:]...)
	_ = atomicfile.WriteBytes(c.path(source, options), append(data, program...))
}
