package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The edits fit the version of purego that go.mod has.
func TestEditsFitTheModule(t *testing.T) {
	source, err := moduleFolder()
	if err != nil {
		t.Fatal(err)
	}
	files, err := edited(source)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		for line := range strings.Lines(text) {
			numbered := strings.HasPrefix(line, "//go:cgo_import_dynamic") && strings.Contains(line, ".so.")
			if numbered || strings.Contains(line, "internal/cgo") || strings.Contains(line, "!android") {
				t.Errorf("%s still has %s", name, line)
			}
		}
	}
	if text := files[stripped]; !strings.Contains(text, "RTLD_NOW") || strings.Contains(text, "func ") {
		t.Errorf("%s became\n%s", stripped, text)
	}
}

// A source that differs is refused, and the file named.
func TestAnotherSource(t *testing.T) {
	source, err := moduleFolder()
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	for _, name := range []string{"dlfcn.go", "dlfcn_nocgo_linux.go", "internal/fakecgo/zsymbols_linux.go", stripped} {
		raw, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(copied, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), raw, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := edited(copied); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dlfcn_nocgo_linux.go", stripped} {
		path := filepath.Join(copied, name)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		other := strings.Replace(string(raw)+"\nfunc more() {}\n", `"libdl.so.2"`, `"libdl.so.3"`, 1)
		if err := os.WriteFile(path, []byte(other), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := edited(copied); !errors.Is(err, ErrSource) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.WriteFile(path, raw, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(copied, "dlfcn.go")); err != nil {
		t.Fatal(err)
	}
	if _, err := edited(copied); !errors.Is(err, ErrSource) {
		t.Error(err)
	}
}
