// Package filelock keeps two processes from writing to one file.
package filelock

import "errors"

// ErrLocked: another process, or another opening of the file, has the lock.
var ErrLocked = errors.New("in use by another process")
