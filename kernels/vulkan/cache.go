package vulkan

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zeroth/internal/atomicfile"
	"zeroth/internal/readat"
	"zeroth/kernels/vulkan/vk"
)

// cache keeps what the driver has compiled in a file, one for a device and its
// driver: magic, the SHA-256 of the rest, that of our shaders, the driver's data.
// Data of other shaders are dropped, so that the file does not grow with each
// version. Losing it costs time alone. Several processes may use the file: it is
// replaced as a whole, with what others have put there since.
type cache struct {
	device  *vk.Device
	path    string
	shaders [sha256.Size]byte
	holds   *vk.Cache
	known   [sha256.Size]byte // of the file as this process has seen it
	dirty   bool
	next    time.Time // when it is saved again at the soonest
}

const (
	cacheMagic  = "zeroth vulkan 1\n"
	cacheHeader = len(cacheMagic) + 2*sha256.Size
	// maxCached bounds what is read and written.
	maxCached = 64 << 20
	// saveShare is the most of the time that saving may take: one part of so many.
	saveShare = 20
)

// openCache makes the device's cache of the file that there is. It returns nil where
// nothing can be kept.
func openCache(folder string, d *vk.Device) *cache {
	if folder == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		folder = filepath.Join(user, "zeroth", "vulkan")
	}
	c := &cache{device: d, path: filepath.Join(folder, cacheName(d.Physical)+".bin"), shaders: sumOfShaders()}
	data, sum := c.read()
	var err error
	if c.holds, err = d.NewCache(data); err != nil && data != nil {
		c.holds, err = d.NewCache(nil)
	}
	if err != nil {
		return nil
	}
	c.known = sum
	return c
}

// cacheName tells devices and drivers apart, and the width of what a driver in
// software compiles for, which is in the device's name.
func cacheName(p *vk.Physical) string {
	h := sha256.New()
	for _, part := range [][]byte{p.CacheID(), []byte(p.Name), []byte(p.Driver), []byte(p.API), binary.LittleEndian.AppendUint32(nil, uint32(p.Limits.SubgroupSize))} {
		_ = binary.Write(h, binary.LittleEndian, uint64(len(part)))
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sumOfShaders changes with any shader.
func sumOfShaders() (sum [sha256.Size]byte) {
	h := sha256.New()
	_ = fs.WalkDir(shaders, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			code, _ := shaders.ReadFile(path) // embedded: it can be read
			_, _ = io.WriteString(h, path)
			h.Write(code)
		}
		return err
	})
	h.Sum(sum[:0])
	return sum
}

// read gives the driver's data of a whole file for our shaders and the checksum
// that the file has, or nil and none.
func (c *cache) read() (data []byte, sum [sha256.Size]byte) {
	file, size, err := readat.Open(c.path)
	if err != nil {
		return nil, sum
	}
	defer file.Close()
	if size <= int64(cacheHeader) || size > maxCached {
		return nil, sum
	}
	all := make([]byte, size)
	if _, err := io.ReadFull(file, all); err != nil {
		return nil, sum
	}
	rest := all[len(cacheMagic)+sha256.Size:]
	sum = sha256.Sum256(rest)
	if string(all[:len(cacheMagic)]) != cacheMagic || !bytes.Equal(all[len(cacheMagic):len(cacheMagic)+sha256.Size], sum[:]) ||
		!bytes.HasPrefix(rest, c.shaders[:]) {
		return nil, [sha256.Size]byte{}
	}
	return rest[sha256.Size:], sum
}

// compiled is the driver's cache, or nil.
func (c *cache) compiled() *vk.Cache {
	if c == nil {
		return nil
	}
	return c.holds
}

// grew notes that something was compiled.
func (c *cache) grew() {
	if c != nil {
		c.dirty = true
	}
}

// save replaces the file where something was compiled since, unless it was saved
// just now. It may fail without harm.
func (c *cache) save() {
	start := time.Now()
	if c == nil || !c.dirty || start.Before(c.next) {
		return
	}
	c.dirty = false
	c.write()
	c.next = time.Now().Add(saveShare * time.Since(start))
}

// close saves what was not saved yet.
func (c *cache) close() {
	if c != nil {
		c.next = time.Time{}
		c.save()
	}
}

func (c *cache) write() {
	if data, sum := c.read(); data != nil && sum != c.known { // another process's
		if other, err := c.device.NewCache(data); err == nil {
			_ = c.holds.Merge(other)
			other.Free()
		}
	}
	data, err := c.holds.Data(maxCached - cacheHeader)
	if err != nil || os.MkdirAll(filepath.Dir(c.path), 0o700) != nil {
		return
	}
	rest := append(c.shaders[:len(c.shaders):len(c.shaders)], data...)
	sum := sha256.Sum256(rest)
	if sum == c.known {
		return
	}
	if atomicfile.WriteBytes(c.path, append(append([]byte(cacheMagic), sum[:]...), rest...)) == nil {
		c.known = sum
	}
}
