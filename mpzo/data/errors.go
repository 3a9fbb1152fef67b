package data

import (
	"errors"
	"fmt"
)

var (
	// ErrRow is wrapped by every error about the content of a data file; the
	// message begins with file and line.
	ErrRow = errors.New("bad row")

	// ErrFormat is returned where a file's format is unknown or its options
	// do not fit it.
	ErrFormat = errors.New("bad data format")

	// ErrTemplate is wrapped by every error about a prompt template.
	ErrTemplate = errors.New("bad template")

	// ErrTask is wrapped by every error about a task that is not its template.
	ErrTask = errors.New("bad task")

	// ErrBudget is returned where an answer alone has more tokens than an
	// example may have.
	ErrBudget = errors.New("token budget too small for one example")

	// ErrEmpty is returned where a file holds no example at all.
	ErrEmpty = errors.New("no examples")

	// ErrBatch is returned where examples, picks or losses do not fit
	// together: an internal mistake of the caller, not of a user.
	ErrBatch = errors.New("bad batch")
)

// rowError places a fault of the data at a line of a file.
func rowError(file string, line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %w", file, line, fmt.Sprintf(format, args...), ErrRow)
}

// shown quotes text for an error message, cut to a length a reader can take in.
func shown(text string) string {
	const most = 40
	cut := 0
	for i := range text {
		if cut == most {
			return fmt.Sprintf("%q…", text[:i])
		}
		cut++
	}
	return fmt.Sprintf("%q", text)
}
