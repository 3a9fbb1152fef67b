package vulkan

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zeroth/internal/filecache"
	"zeroth/kernels/vulkan/vk"
)

// cache keeps what the driver has compiled, a piece for a device, its driver and our
// shaders, so that it does not grow with each version. Several processes may use it:
// a piece is replaced as a whole, with what others have put there since.
type cache struct {
	device *vk.Device
	folder filecache.Folder
	key    [sha256.Size]byte
	holds  *vk.Cache
	known  [sha256.Size]byte // of the piece as this process has seen it
	dirty  bool
	next   time.Time // when it is saved again at the soonest
}

const (
	// maxPiece bounds what is kept of one device, and the folder holds a few such.
	maxPiece  = 64 << 20
	maxCached = 4 * maxPiece
	// saveShare is the most of the time that saving may take: one part of so many.
	saveShare = 20
)

// openCache makes the device's cache of the piece that there is. It returns nil where
// nothing can be kept.
func openCache(folder string, d *vk.Device) *cache {
	if folder == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		folder = filepath.Join(user, "zeroth", "vulkan")
	}
	c := &cache{device: d, folder: filecache.Folder{Path: folder, Magic: "zeroth vulkan 2\n", MaxBytes: maxCached}, key: cacheKey(d.Physical)}
	data, _ := c.folder.Read(c.key)
	var err error
	if c.holds, err = d.NewCache(data); err != nil && data != nil {
		data = nil
		c.holds, err = d.NewCache(nil)
	}
	if err != nil {
		return nil
	}
	c.known = sha256.Sum256(data)
	return c
}

// cacheKey tells devices and drivers apart, the width of what a driver in software
// compiles for, which is in the device's name, and our shaders.
func cacheKey(p *vk.Physical) [sha256.Size]byte {
	return filecache.Key(string(p.CacheID()), p.Name, p.Driver, p.API, fmt.Sprint(p.Limits.SubgroupSize), Bits())
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

// save replaces the piece where something was compiled since, unless it was saved
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
	if data, ok := c.folder.Read(c.key); ok && sha256.Sum256(data) != c.known { // another process's
		if other, err := c.device.NewCache(data); err == nil {
			_ = c.holds.Merge(other)
			other.Free()
		}
	}
	data, err := c.holds.Data(maxPiece)
	if err != nil {
		return
	}
	if sum := sha256.Sum256(data); sum != c.known {
		c.folder.Write(c.key, data)
		c.known = sum
	}
}
