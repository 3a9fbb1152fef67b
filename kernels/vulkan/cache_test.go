package vulkan

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

// TestMain keeps the user's cache as it is. Mesa's own stays where it was: without
// it llvmpipe compiles for minutes.
func TestMain(m *testing.M) {
	const mesa = "MESA_SHADER_CACHE_DIR"
	if cache, err := os.UserCacheDir(); err == nil && os.Getenv(mesa) == "" {
		os.Setenv(mesa, cache)
	}
	folder, err := os.MkdirTemp("", "zeroth-vulkan-")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		os.Setenv(name, folder)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// compile compiles the function of elementwise.comp that the constant says and
// gives the device the chance to keep it.
func compile(t *testing.T, d *Device, function uint32) {
	t.Helper()
	b, err := d.Allocate(256, gpu.Local)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	span := gpu.Span{Buffer: b, Size: 256}
	d.cache.next = d.cache.next.AddDate(-1, 0, 0)
	r, err := d.Record([]gpu.Stage{{
		Kernel: kernelNamed("elementwise"), Constants: []uint32{function}, Spans: []gpu.Span{span, span, span}, Extents: func([]uint32) int { return 0 },
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.Free()
}

// kept is the piece that a device has in its folder, or nil.
func kept(c *cache) []byte {
	data, _ := c.folder.Read(c.key)
	return data
}

// What was compiled is kept for the next process. A piece that is damaged, hostile,
// another device's or of other shaders is as if it were not there, is not shown to
// the driver, and is replaced.
func TestCache(t *testing.T) {
	folder := t.TempDir()
	d := openWith(t, Options{Cache: folder})
	if kept(d.cache) != nil {
		t.Fatal("there is a piece already")
	}
	compile(t, d, 3)
	sound := kept(d.cache)
	if !bytes.HasPrefix(sound, d.Physical().CacheID()) || sha256.Sum256(sound) != d.cache.known {
		t.Fatalf("%d bytes were kept", len(sound))
	}
	for name, change := range map[string]func(b []byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"another driver": func(b []byte) []byte { b[20] ^= 1; return b },
		"another header": func(b []byte) []byte { b[0] ^= 1; return b },
		"half a header":  func(b []byte) []byte { return b[:20] },
	} {
		bad := change(bytes.Clone(sound))
		d.cache.folder.Write(d.cache.key, bad)
		if c, err := d.device.NewCache(bad); bad != nil && !errors.Is(err, vk.ErrUnusable) {
			t.Errorf("%s: %v: the driver was given %d bytes", name, err, len(bad))
			c.Free()
		}
		replaced(t, name, d, folder, bad)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.bin"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)-1] ^= 1
	if err := os.WriteFile(files[0], whole, 0o600); err != nil {
		t.Fatal(err)
	}
	replaced(t, "damaged", d, folder, nil)
	d.cache.folder.Write(d.cache.key, sound)
	again := openCache(folder, d.device)
	if again.known != sha256.Sum256(sound) {
		t.Error("what was kept was not taken")
	}
	again.holds.Free()
	if none := openCache(string([]byte{0}), d.device); none != nil { // a folder that cannot be
		none.write()
		none.holds.Free()
	}
}

// replaced wants the next process to put a piece of its own in a bad one's place.
func replaced(t *testing.T, name string, d *Device, folder string, bad []byte) {
	t.Helper()
	other := openCache(folder, d.device)
	if other == nil {
		t.Fatalf("%s: no cache", name)
	}
	defer other.holds.Free()
	other.write()
	if now := kept(other); !bytes.HasPrefix(now, d.Physical().CacheID()) || bytes.Equal(now, bad) {
		t.Errorf("%s: it was not replaced", name)
	}
}

// Processes that use a cache at once keep each other's.
func TestCacheIsShared(t *testing.T) {
	folder := t.TempDir()
	first, second := openWith(t, Options{Cache: folder}), openWith(t, Options{Cache: folder})
	compile(t, first, 3)
	one := kept(first.cache)
	compile(t, second, 4)
	both := kept(second.cache)
	compile(t, first, 4)
	if all := kept(first.cache); len(both) < len(one) || len(all) < len(both) {
		t.Errorf("%d bytes of one, %d of both, then %d", len(one), len(both), len(all))
	}
}
