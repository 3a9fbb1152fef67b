package prefix_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zeroth/mpzo/prefix"
)

// filled opens a cache in which each of some sequences is looked up, and stored
// where it is not there. It says which were.
func filled(t *testing.T, path string, o prefix.Options, sequences ...int) (found []bool, stats prefix.Stats) {
	t.Helper()
	c, err := prefix.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, s := range sequences {
		values := [][]float32{make([]float32, 2*s), make([]float32, s)}
		want := sequence(s)
		hit := c.Load(key(s), s, values)
		if hit && (!slices.Equal(values[0], want[0]) || !slices.Equal(values[1], want[1])) {
			t.Errorf("sequence %d is found as %v, want %v", s, values, want)
		}
		if !hit {
			c.Store(key(s), s, o.Codec.Append(nil, s, want))
		}
		found = append(found, hit)
	}
	return found, c.Stats()
}

func key(s int) prefix.Key { return sha256.Sum256([]byte{byte(s)}) }

// sequence is s tokens of two values that binary16 holds.
func sequence(s int) [][]float32 {
	values := [][]float32{make([]float32, 2*s), make([]float32, s)}
	for i := range s {
		values[0][2*i], values[0][2*i+1], values[1][i] = float32(i), float32(s), 0.5
	}
	return values
}

func options(notices *[]string) prefix.Options {
	return prefix.Options{
		Identity: "program", Codec: prefix.Codec{Columns: []int{2, 1}}, Budget: 1 << 20,
		Notice: func(line string) { *notices = append(*notices, line) },
	}
}

func TestCacheIsThereAgain(t *testing.T) {
	var notices []string
	path := filepath.Join(t.TempDir(), "cache")
	found, stats := filled(t, path, options(&notices), 3, 1, 3, 2)
	if !slices.Equal(found, []bool{false, false, true, false}) || stats.Entries != 3 || stats.Hits != 1 || stats.Misses != 3 {
		t.Errorf("found %v, %+v", found, stats)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != stats.Bytes {
		t.Errorf("%d bytes are said to be in %v: %v", stats.Bytes, info, err)
	}
	found, again := filled(t, path, options(&notices), 1, 2, 3, 4)
	if !slices.Equal(found, []bool{true, true, true, false}) || again.Entries != 4 {
		t.Errorf("opened again: found %v, %+v", found, again)
	}
	if len(notices) > 0 {
		t.Errorf("notices %q", notices)
	}
}

// A file that is cut anywhere, or in which any byte is another, is used as far
// as it is good and filled again.
func TestCacheOfADamagedFile(t *testing.T) {
	var none []string
	folder := t.TempDir()
	path := filepath.Join(folder, "cache")
	filled(t, path, options(&none), 1, 2, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		for name, damaged := range map[string][]byte{"cut": whole[:at], "flipped": flipped(whole, at)} {
			var notices []string
			path := filepath.Join(folder, fmt.Sprint(name, at))
			if err := os.WriteFile(path, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			if name == "flipped" && at < 8 {
				if _, err := prefix.Open(path, options(&notices)); !errors.Is(err, prefix.ErrPayload) {
					t.Errorf("another file's magic at %d: %v", at, err)
				}
				continue
			}
			found, stats := filled(t, path, options(&notices), 1, 2, 3)
			if !slices.Contains(found, false) || stats.Entries != 3 {
				t.Errorf("%s at %d: found %v, %d entries", name, at, found, stats.Entries)
			}
			// Cut between two records it is as whole as before the last was written.
			if len(notices) > 1 || len(notices) == 0 && name == "flipped" {
				t.Errorf("%s at %d: notices %q", name, at, notices)
			}
			if found, _ := filled(t, path, options(&none), 1, 2, 3); slices.Contains(found, false) {
				t.Errorf("%s at %d: not all are there again: %v", name, at, found)
			}
		}
	}
	if len(none) > 0 {
		t.Errorf("notices %q", none)
	}
}

func flipped(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[at] ^= 0x10
	return out
}

func TestCacheOfAnother(t *testing.T) {
	for name, change := range map[string]func(*prefix.Options){
		"identity": func(o *prefix.Options) { o.Identity = "another program" },
		"columns":  func(o *prefix.Options) { o.Codec.Columns = []int{1, 2} },
	} {
		var notices []string
		path := filepath.Join(t.TempDir(), "cache")
		filled(t, path, options(&notices), 1, 2, 3)
		o := options(&notices)
		change(&o)
		c, err := prefix.Open(path, o)
		if err != nil {
			t.Fatal(err)
		}
		if c.Load(key(2), 2, [][]float32{make([]float32, 4), make([]float32, 4)}) || c.Stats().Entries != 0 {
			t.Errorf("%s: what another left is used", name)
		}
		if len(notices) != 1 || !strings.Contains(notices[0], "begun anew") {
			t.Errorf("%s: notices %q", name, notices)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCacheKeepsToItsBudget(t *testing.T) {
	var notices []string
	path := filepath.Join(t.TempDir(), "cache")
	o := options(&notices)
	_, stats := filled(t, path, options(&notices), 4)
	o.Budget = stats.Bytes + 100
	found, stats := filled(t, path, o, 4, 1, 2, 3, 1, 2, 3)
	if !slices.Equal(found, []bool{true, false, false, false, true, false, false}) || stats.Bytes > o.Budget || stats.Entries != 2 {
		t.Errorf("found %v, %+v", found, stats)
	}
	if len(notices) != 1 || !strings.Contains(notices[0], "the prefix cache has its") {
		t.Errorf("notices %q", notices)
	}
	o.Budget = stats.Bytes - 1 // less than it has: the last goes
	found, stats = filled(t, path, o, 4, 1)
	if !slices.Equal(found, []bool{true, false}) || stats.Bytes > o.Budget {
		t.Errorf("of less than it had: found %v, %+v", found, stats)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != stats.Bytes {
		t.Errorf("the file is %v, %v; want %d bytes", info, err, stats.Bytes)
	}
}

func TestOpenRefuses(t *testing.T) {
	var notices []string
	folder := t.TempDir()
	o := options(&notices)
	letter := filepath.Join(folder, "letter")
	if err := os.WriteFile(letter, []byte("Dear"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{letter, folder, filepath.Join(folder, "none", "cache")} {
		if c, err := prefix.Open(path, o); err == nil {
			t.Errorf("%s was opened: %+v", path, c.Stats())
		}
	}
	if text, err := os.ReadFile(letter); err != nil || string(text) != "Dear" {
		t.Errorf("a file that is not ours is now %q: %v", text, err)
	}
	path := filepath.Join(folder, "cache")
	c, err := prefix.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := prefix.Open(path, o); !errors.Is(err, prefix.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	for _, columns := range [][]int{nil, {0}, {-1, 3}, {1 << 40}} {
		o.Codec.Columns = columns
		if _, err := prefix.Open(filepath.Join(folder, "other"), o); !errors.Is(err, prefix.ErrPayload) {
			t.Errorf("columns %v: %v", columns, err)
		}
	}
}

// Whatever a file holds, what is found in it decodes, and it takes more.
func FuzzOpen(f *testing.F) {
	var notices []string
	path := filepath.Join(f.TempDir(), "cache")
	o := options(&notices)
	c, err := prefix.Open(path, o)
	if err != nil {
		f.Fatal(err)
	}
	for s := 1; s < 4; s++ {
		c.Store(key(s), s, o.Codec.Append(nil, s, sequence(s)))
	}
	if err := c.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(flipped(whole, 90))
	f.Add(whole[:20])
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "cache")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := prefix.Open(path, o)
		if err != nil {
			if !errors.Is(err, prefix.ErrPayload) {
				t.Fatal(err)
			}
			return
		}
		defer c.Close()
		for s := 1; s < 4; s++ {
			values := [][]float32{make([]float32, 2*s), make([]float32, s)}
			if !c.Load(key(s), s, values) {
				c.Store(key(s), s, o.Codec.Append(nil, s, sequence(s)))
				if !c.Load(key(s), s, values) {
					t.Fatal("what was stored is not there")
				}
			}
		}
	})
}

// Files of a folder have one budget: what was used least lately goes for what is
// new, but not what is open, nor what is not ours.
func TestFolderKeepsToItsBudget(t *testing.T) {
	var notices []string
	folder := t.TempDir()
	fill := func(identity string, budget int64, sequences ...int) (*prefix.Cache, []bool) {
		o := options(&notices)
		o.Identity, o.Budget = identity, budget
		c, err := prefix.OpenIn(folder, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		var found []bool
		for _, s := range sequences {
			values := [][]float32{make([]float32, 2*s), make([]float32, s)}
			hit := c.Load(key(s), s, values)
			if !hit {
				c.Store(key(s), s, o.Codec.Append(nil, s, sequence(s)))
			}
			found = append(found, hit)
		}
		return c, found
	}
	age := func(hours time.Duration) { // of all that is there
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			then := info.ModTime().Add(-hours * time.Hour)
			if err := os.Chtimes(filepath.Join(folder, e.Name()), then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	total := func() (files int, bytes int64) {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".prefix") {
				files, bytes = files+1, bytes+info.Size()
			}
		}
		return files, bytes
	}
	for _, stranger := range []string{"letter.prefix", strings.Repeat("0", 32) + ".prefix", "notes"} {
		if err := os.WriteFile(filepath.Join(folder, stranger), []byte("Dear all"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const unbounded = 1 << 20
	for _, identity := range []string{"first", "second", "third"} {
		c, _ := fill(identity, unbounded, 1, 2, 3)
		c.Close()
		age(1)
	}
	if c, found := fill("first", unbounded, 3); !found[0] { // used again: the second is the oldest now
		t.Error("what is there is not found")
	} else {
		c.Close()
	}
	age(1)
	_, before := total()
	fourth, _ := fill("fourth", before+150, 1, 2, 3)
	if fourth.Stats().Entries != 3 {
		t.Errorf("%+v", fourth.Stats())
	}
	if files, bytes := total(); files != 5 || bytes > before+150 {
		t.Errorf("%d files of %d bytes, there were %d", files, bytes, before)
	}
	if len(notices) != 1 || !strings.Contains(notices[0], "was removed to make room") {
		t.Errorf("notices %q", notices)
	}
	for _, identity := range []string{"first", "second"} {
		c, found := fill(identity, unbounded, 3)
		if found[0] != (identity == "first") {
			t.Errorf("%s is found: %v", identity, found[0])
		}
		c.Close()
	}
	// What could never fit makes no room. What is open stays, however old.
	if c, _ := fill("fifth", 60, 1); c.Stats().Entries != 0 {
		t.Errorf("%+v", c.Stats())
	}
	third, found := fill("third", unbounded, 3)
	age(1)
	if files, _ := total(); files != 7 || !found[0] {
		t.Errorf("%d files, found %v", files, found)
	}
	open := third.Stats().Bytes + fourth.Stats().Bytes + 48 + 8 // and the fifth's head, and a stranger
	if c, _ := fill("sixth", open+fourth.Stats().Bytes, 1, 2, 3); c.Stats().Entries != 3 {
		t.Errorf("%+v, %q", c.Stats(), notices)
	}
	if files, bytes := total(); files != 6 || bytes != open+fourth.Stats().Bytes+8 { // another stranger
		t.Errorf("%d files of %d bytes", files, bytes)
	}
	for _, stranger := range []string{"letter.prefix", strings.Repeat("0", 32) + ".prefix", "notes"} {
		if text, err := os.ReadFile(filepath.Join(folder, stranger)); err != nil || string(text) != "Dear all" {
			t.Errorf("%s: %q, %v", stranger, text, err)
		}
	}
}

// Caches that are open at the same time, as those of two runs, keep to one budget.
func TestOpenCachesShareABudget(t *testing.T) {
	var notices []string
	folder := t.TempDir()
	const budget = 1000
	var caches []*prefix.Cache
	for _, identity := range []string{"one", "another"} {
		o := options(&notices)
		o.Identity, o.Budget = identity, budget
		c, err := prefix.OpenIn(folder, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		caches = append(caches, c)
	}
	codec := options(&notices).Codec
	for s := 1; s < 100; s++ {
		for _, c := range caches {
			c.Store(key(s), 3, codec.Append(nil, 3, sequence(3)))
		}
	}
	one, another := caches[0].Stats(), caches[1].Stats()
	if bytes := one.Bytes + another.Bytes; bytes > budget || one.Entries < 2 || another.Entries < 2 {
		t.Errorf("%d bytes of %d: %+v and %+v", bytes, budget, one, another)
	}
}
