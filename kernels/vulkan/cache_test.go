package vulkan

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

// TestMain keeps the user's cache as it is.
func TestMain(m *testing.M) {
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

// What was compiled is kept for the next process. A file that is damaged, hostile,
// another device's or of other shaders is as if it were not there, is not shown to
// the driver, and is replaced.
func TestCache(t *testing.T) {
	folder := t.TempDir()
	d := openWith(t, Options{Cache: folder})
	if data, _ := d.cache.read(); data != nil {
		t.Fatal("there is a file already")
	}
	path := d.cache.path
	compile(t, d, 3)
	data, sum := d.cache.read()
	if !bytes.HasPrefix(data, d.Physical().CacheID()) || sum != d.cache.known {
		t.Fatalf("%d bytes were kept, as %x", len(data), sum)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	resealed := func(change func(rest []byte) []byte) []byte {
		rest := change(bytes.Clone(sound[len(cacheMagic)+sha256.Size:]))
		sum := sha256.Sum256(rest)
		return append(append([]byte(cacheMagic), sum[:]...), rest...)
	}
	flipped := func(at int) []byte {
		bad := bytes.Clone(sound)
		bad[at] ^= 1
		return bad
	}
	for name, bad := range map[string][]byte{
		"empty": {}, "cut": sound[:len(sound)-1], "longer": append(bytes.Clone(sound), 0), "header alone": sound[:cacheHeader],
		"another version": flipped(len(cacheMagic) - 2), "damaged": flipped(len(sound) - 1),
		"other shaders":  resealed(func(rest []byte) []byte { rest[0] ^= 1; return rest }),
		"another driver": resealed(func(rest []byte) []byte { rest[sha256.Size+20] ^= 1; return rest }),
		"another header": resealed(func(rest []byte) []byte { rest[sha256.Size] ^= 1; return rest }),
		"half a header":  resealed(func(rest []byte) []byte { return rest[:sha256.Size+20] }),
	} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if data, _ := d.cache.read(); data != nil {
			if c, err := d.device.NewCache(data); !errors.Is(err, vk.ErrUnusable) {
				t.Errorf("%s: %v: the driver was given %d bytes", name, err, len(data))
				c.Free()
			}
		}
		other := openCache(folder, d.device)
		if other == nil {
			t.Fatalf("%s: no cache", name)
		}
		other.write()
		if data, _ := other.read(); data == nil {
			t.Errorf("%s: it was not replaced", name)
		}
		other.holds.Free()
	}
	if err := os.WriteFile(path, sound, 0o600); err != nil {
		t.Fatal(err)
	}
	again := openCache(folder, d.device)
	if again.known != sum {
		t.Error("what was kept was not taken")
	}
	again.holds.Free()
	if none := openCache(string([]byte{0}), d.device); none != nil { // a folder that cannot be
		none.write()
		none.holds.Free()
	}
}

// Processes that use a cache at once keep each other's.
func TestCacheIsShared(t *testing.T) {
	folder := t.TempDir()
	first, second := openWith(t, Options{Cache: folder}), openWith(t, Options{Cache: folder})
	compile(t, first, 3)
	one, _ := first.cache.read()
	compile(t, second, 4)
	both, _ := second.cache.read()
	compile(t, first, 4)
	if all, _ := first.cache.read(); len(both) < len(one) || len(all) < len(both) {
		t.Errorf("%d bytes of one, %d of both, then %d", len(one), len(both), len(all))
	}
}
