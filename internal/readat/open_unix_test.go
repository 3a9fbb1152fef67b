//go:build unix

package readat

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOpenRefusesAPipe would hang if Open opened it.
func TestOpenRefusesAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if _, _, err := Open(pipe); !errors.Is(err, ErrNotRegular) {
		t.Error(err)
	}
}
