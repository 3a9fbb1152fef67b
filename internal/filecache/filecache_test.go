package filecache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const magic = "a test 1\n"

func folder(t *testing.T, maxBytes int64) Folder {
	return Folder{Path: filepath.Join(t.TempDir(), "made", "when needed"), Magic: magic, MaxBytes: maxBytes}
}

// What was kept comes back, unless it was damaged.
func TestKept(t *testing.T) {
	f, key := folder(t, 1<<20), Key("a driver", "a source")
	if _, ok := f.Read(key); ok {
		t.Error("an empty folder has it")
	}
	for _, damage := range []func(b []byte) []byte{
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { b[0] ^= 1; return b },
		func(b []byte) []byte { b[len(magic)] ^= 1; return b },
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { return append(b, 0) },
		func([]byte) []byte { return nil },
	} {
		f.Write(key, []byte("what took long to make"))
		if data, ok := f.Read(key); !ok || string(data) != "what took long to make" {
			t.Fatalf("%q, %v", data, ok)
		}
		file, err := os.ReadFile(f.path(key))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.path(key), damage(file), 0o600); err != nil {
			t.Fatal(err)
		}
		if data, ok := f.Read(key); ok {
			t.Errorf("damaged, it is %q", data)
		}
	}
	if Key("ab", "c") == Key("a", "bc") || Key("a") == Key("a", "") {
		t.Error("different parts have the same key")
	}
}

// A folder of another kind, or none, keeps nothing.
func TestNotKept(t *testing.T) {
	f, key := folder(t, 1<<20), Key("x")
	f.Write(key, []byte("data"))
	other := f
	other.Magic = "a test 2\n"
	if _, ok := other.Read(key); ok {
		t.Error("another kind reads it")
	}
	for _, f := range []Folder{{Magic: magic, MaxBytes: 100}, {Path: f.path(key), Magic: magic, MaxBytes: 100}, {Path: t.TempDir(), Magic: magic, MaxBytes: 40}} {
		f.Write(key, []byte("data"))
		if _, ok := f.Read(key); ok {
			t.Errorf("%+v keeps it", f)
		}
	}
}

// Beyond its bound a folder loses what was used least lately, and what a killed
// process left; nothing that is not its own.
func TestBounded(t *testing.T) {
	const pieces, size = 10, 1000
	f := folder(t, 4*(size+int64(len(magic))+32))
	path := func(i int) string { return f.path(Key(fmt.Sprint(i))) }
	old := func(path string, hours int) {
		then := time.Now().Add(-time.Duration(hours) * time.Hour)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		f.Write(Key(fmt.Sprint(i)), bytes.Repeat([]byte{byte(i)}, size))
		old(path(i), 100-i)
	}
	strangers := []string{"notes.txt", "abc.bin", ".notes.tmp"}
	temporary := []string{".x.bin.ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp", ".y.bin.ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp"}
	for _, name := range append(strangers, temporary...) {
		if err := os.WriteFile(filepath.Join(f.Path, name), make([]byte, 100*size), 0o600); err != nil {
			t.Fatal(err)
		}
		old(filepath.Join(f.Path, name), 1000)
	}
	old(filepath.Join(f.Path, temporary[1]), 0) // of a process at work
	if _, ok := f.Read(Key("0")); !ok {         // the oldest is used again
		t.Error("it is not kept")
	}
	for i := 3; i < pieces; i++ {
		f.Write(Key(fmt.Sprint(i)), bytes.Repeat([]byte{byte(i)}, size))
		old(path(i), 50-i)
	}
	for i, want := range []bool{0: true, 1: false, 2: false, 6: false, 7: true, 8: true, 9: true} {
		if _, ok := f.Read(Key(fmt.Sprint(i))); ok != want {
			t.Errorf("piece %d is kept: %v", i, ok)
		}
	}
	for _, name := range append(strangers, temporary[1]) {
		if _, err := os.Stat(filepath.Join(f.Path, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(f.Path, temporary[0])); err == nil {
		t.Error("what a killed process left is still there")
	}
}

// Several processes may read, write and sweep at a time: what is read is whole.
func TestConcurrent(t *testing.T) {
	f := folder(t, 5000)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 50 {
				key, n := Key(fmt.Sprint((i+worker)%7)), 1000+(i+worker)%7
				if data, ok := f.Read(key); ok && (len(data) != n || !bytes.Equal(data, bytes.Repeat([]byte{byte(n)}, n))) {
					t.Errorf("%d bytes are not what was kept", len(data))
				}
				f.Write(key, bytes.Repeat([]byte{byte(n)}, n))
			}
		})
	}
	group.Wait()
	left, bytes := 0, int64(0)
	f.sweep()
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			left, bytes = left+1, bytes+info.Size()
		}
	}
	if left == 0 || bytes > f.MaxBytes {
		t.Errorf("%d files of %d bytes are left", left, bytes)
	}
}
