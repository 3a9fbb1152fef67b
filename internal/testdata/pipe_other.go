//go:build !unix

package testdata

import "testing"

// Pipe skips the test: no file of this system is a named pipe.
func Pipe(t testing.TB) string {
	t.Helper()
	t.Skip("skipped: no named pipes on this system")
	return ""
}
