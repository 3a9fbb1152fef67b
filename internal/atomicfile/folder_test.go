package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestFolderAppearsWhole(t *testing.T) {
	above := filepath.Join(t.TempDir(), "above")
	path := filepath.Join(above, "new")
	err := Folder(path, func(folder string) error {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the folder is there before it is whole: %v", err)
		}
		return WriteBytes(filepath.Join(folder, "file"), []byte("text"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); len(got) != 1 || got[0] != "file" {
		t.Errorf("the folder holds %v", got)
	}
	if got := names(t, above); len(got) != 1 {
		t.Errorf("beside it there are %v", got)
	}
	if err := Folder(path, func(string) error { return nil }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
}

func TestFailedFolderLeavesNothing(t *testing.T) {
	above := t.TempDir()
	broken := errors.New("disk full")
	err := Folder(filepath.Join(above, "new"), func(folder string) error {
		return errors.Join(WriteBytes(filepath.Join(folder, "file"), nil), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if got := names(t, above); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

// What a killed process leaves is made here as it makes it: by ending inside
// Write and Folder.
func TestRemoveTemporary(t *testing.T) {
	folder := t.TempDir()
	kept := []string{".hidden", ".x.tmp", ".x.ABC.tmp", "adapter", "x.ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp"}
	for _, name := range kept {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	killed := func() {
		defer func() { _ = recover() }()
		_ = Folder(filepath.Join(folder, "adapters"), func(inner string) error {
			if err := os.WriteFile(filepath.Join(inner, "half"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			panic("killed")
		})
	}
	killed()
	if err := os.WriteFile(temporaryName(filepath.Join(folder, "run.json")), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := names(t, folder); len(got) != len(kept)+2 {
		t.Fatalf("before: %v", got)
	}
	if err := RemoveTemporary(folder); err != nil {
		t.Fatal(err)
	}
	if got := names(t, folder); len(got) != len(kept) {
		t.Errorf("after: %v, want %v", got, kept)
	}
	if err := RemoveTemporary(filepath.Join(folder, "none")); err != nil {
		t.Errorf("no folder: %v", err)
	}
}
