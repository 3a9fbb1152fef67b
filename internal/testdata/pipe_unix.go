//go:build unix

package testdata

import (
	"path/filepath"
	"syscall"
	"testing"
)

// Pipe makes a named pipe and returns its path, or skips the test where the
// system has none. Who opens it without another at its other end waits forever.
func Pipe(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("skipped: no named pipe: %v", err)
	}
	return path
}
