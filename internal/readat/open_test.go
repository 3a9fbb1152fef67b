package readat

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

func TestOpen(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "file"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	pointer := pointerStart + "v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	if err := os.WriteFile(filepath.Join(folder, "pointer"), []byte(pointer), 0o600); err != nil {
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
		if _, _, err := open("pointer"); !errors.Is(err, ErrPointer) || !IsUseless(err) {
			t.Errorf("%s: a pointer of Git LFS: %v", how, err)
		}
		if _, _, err := open("sub"); !errors.Is(err, ErrNotRegular) || !IsUseless(err) {
			t.Errorf("%s: a folder: %v", how, err)
		}
		if _, _, err := open("none"); !errors.Is(err, fs.ErrNotExist) || IsUseless(err) {
			t.Errorf("%s: nothing: %v", how, err)
		}
	}
	if _, _, err := OpenIn(root, "../file"); err == nil {
		t.Error("a name that leads out was opened")
	}
}

// TestOpenRefusesAPipe would hang if Open opened it.
func TestOpenRefusesAPipe(t *testing.T) {
	if _, _, err := Open(testdata.Pipe(t)); !errors.Is(err, ErrNotRegular) {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	invalid, broken := errors.New("invalid"), errors.New("broken")
	var opened *os.File
	size, err := Parse(path, invalid, func(file *os.File, size int64) (int64, error) {
		opened = file
		return size, nil
	})
	if err != nil || size != 5 {
		t.Errorf("%d bytes, %v", size, err)
	}
	if err := opened.Close(); err != nil {
		t.Errorf("the file was not left open: %v", err)
	}
	_, err = Parse(path, invalid, func(file *os.File, _ int64) (int, error) {
		opened = file
		return 0, broken
	})
	if !errors.Is(err, broken) || errors.Is(err, invalid) || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("a file that cannot be parsed: %v", err)
	}
	if err := opened.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file was left open: %v", err)
	}
	if _, err := Parse(folder, invalid, func(*os.File, int64) (int, error) { return 0, nil }); !errors.Is(err, invalid) || !errors.Is(err, ErrNotRegular) {
		t.Errorf("a folder: %v", err)
	}
}
