package data

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"zeroth/internal/readat"
)

// A pointer of Git LFS is no data, whatever is to be read from it.
func TestPointersAreRefused(t *testing.T) {
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const pointer = "version https://git-lfs.github.com/spec/v1\nsize 12345\n"
	options := Options{Tokens: 32}
	task := builtIn(t, "sst2")
	for name, read := range map[string]func(path string) error{
		"a.txt":   func(path string) error { _, err := LoadText(path, byteEncoder{}, options); return err },
		"a.jsonl": func(path string) error { _, err := Load(path, task, byteEncoder{}, options); return err },
		"b.jsonl": func(path string) error { _, _, err := LoadShots(path, task, byteEncoder{}, options, 2, 1); return err },
		"a.json":  func(path string) error { _, err := ReadTask(path); return err },
	} {
		if err := read(write(name, pointer)); !errors.Is(err, readat.ErrPointer) || !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := LoadText(write("b.txt", "of "+pointer), byteEncoder{}, options); err != nil {
		t.Errorf("a text about pointers: %v", err)
	}
}
