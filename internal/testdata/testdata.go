// Package testdata finds the shared models, tokenizers and datasets that tests
// compare with. They live beside the repository, not in it, so every test that
// wants them skips, and says so, where they are absent. It also compares numbers
// with those of C headers, and makes named
// pipes, which readers of files must refuse and not open.
package testdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Shared returns the path of a file or folder below shared/data, named with
// forward slashes, or skips the test where it is absent. ZEROTH_SHARED names
// another shared/data folder.
func Shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(sharedRoot(), filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: no shared test data %s (set ZEROTH_SHARED to the folder that holds it)", path)
	}
	return path
}

// Repo returns the path of a file below the repository root.
func Repo(name string) string {
	return filepath.Join(repoRoot(), filepath.FromSlash(name))
}

func sharedRoot() string {
	if dir := os.Getenv("ZEROTH_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join(repoRoot(), "..", "shared", "data")
}

func repoRoot() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
