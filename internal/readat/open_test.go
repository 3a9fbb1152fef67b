package readat

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOpen(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "file"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for how, open := range map[string]func(name string) (*os.File, int64, error){
		"by path": func(name string) (*os.File, int64, error) { return Open(filepath.Join(folder, name)) },
		"in root": func(name string) (*os.File, int64, error) { return OpenIn(root, name) },
	} {
		file, size, err := open("file")
		if err != nil || size != 5 {
			t.Errorf("%s: %d bytes, %v", how, size, err)
		} else if err := file.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := open("sub"); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: a folder: %v", how, err)
		}
		if _, _, err := open("none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: nothing: %v", how, err)
		}
	}
	if _, _, err := OpenIn(root, "../file"); err == nil {
		t.Error("a name that leads out was opened")
	}
}
