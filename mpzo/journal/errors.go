package journal

import (
	"errors"

	"zeroth/internal/filelock"
)

// The errors of this package wrap one of these, or the error of the file system.
var (
	// ErrFormat: the file is not a journal, or its preamble or header is
	// incomplete or invalid.
	ErrFormat = errors.New("not a valid journal")
	// ErrVersion: the journal was written by a version this one cannot read.
	ErrVersion = errors.New("journal version not supported")
	// ErrDamaged: the journal is damaged in a way an interrupted run does not
	// explain, so nothing was cut.
	ErrDamaged = errors.New("journal is damaged")
	// ErrLocked: another writer has the journal open.
	ErrLocked = filelock.ErrLocked
	// ErrHeader: a header given to Create breaks a rule of the layout.
	ErrHeader = errors.New("invalid journal header")
	// ErrRecord: a record given to a Writer breaks a rule of the layout.
	ErrRecord = errors.New("invalid journal record")
	// ErrNotFinite: a record given to a Writer holds NaN or an infinity.
	ErrNotFinite = errors.New("not a finite number")
	// ErrMismatch: two headers that should describe one run differ.
	ErrMismatch = errors.New("journal is of another run")
	// ErrClosed: the writer was closed.
	ErrClosed = errors.New("journal is closed")
)
