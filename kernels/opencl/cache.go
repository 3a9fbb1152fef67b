package opencl

import (
	"os"
	"path/filepath"
	"strings"

	"zeroth/internal/filecache"
	"zeroth/kernels/opencl/cl"
)

// cache keeps built programs in a folder, each under all that it depends on: the
// driver, the device, the source and the options.
type cache struct {
	folder filecache.Folder
	driver []string
}

// maxCached bounds the folder: programs of a few drivers, at a few MB each.
const maxCached = 64 << 20

// newCache keeps programs of a device in a folder; empty means one in the user's
// cache folder, for drivers that keep nothing themselves. Where there is none,
// nothing is kept.
func newCache(folder string, p *cl.Physical) cache {
	if folder == "" && !keepsPrograms(p) {
		if user, err := os.UserCacheDir(); err == nil {
			folder = filepath.Join(user, "zeroth", "opencl")
		}
	}
	return cache{
		filecache.Folder{Path: folder, Magic: "zeroth opencl 1\n", MaxBytes: maxCached},
		[]string{p.Platform, p.Vendor, p.Name, p.Version, p.Driver},
	}
}

// keepsPrograms knows PoCL, which has a cache of its own. Before it gives a binary
// away it compiles each kernel for any size of work group, beside the one that is
// run: twice the time, and more.
func keepsPrograms(p *cl.Physical) bool {
	return strings.HasPrefix(p.Platform, "Portable Computing Language")
}

// keeps reports whether there is a folder.
func (c cache) keeps() bool { return c.folder.Path != "" }

// key is that of a program.
func (c cache) key(source, options string) [32]byte {
	return filecache.Key(append([]string{source, options}, c.driver...)...)
}

// read gives the binary that was kept, if it is whole.
func (c cache) read(source, options string) ([]byte, bool) {
	return c.folder.Read(c.key(source, options))
}

// write keeps a binary.
func (c cache) write(source, options string, program []byte) {
	c.folder.Write(c.key(source, options), program)
}
