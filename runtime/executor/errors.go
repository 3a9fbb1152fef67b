package executor

import (
	"errors"
	"fmt"

	"zeroth/internal/bytesize"
)

var (
	// ErrNoMethod is wrapped when a program has no method of a name.
	ErrNoMethod = errors.New("no such method")
	// ErrInput is wrapped when an input's values or extents break a method's
	// contract. Nothing has run and no slot has changed.
	ErrInput = errors.New("invalid input")
	// ErrBounds is wrapped when a session cannot be made for its bounds.
	ErrBounds = errors.New("invalid session bounds")
	// ErrMemory is wrapped when a session would allocate more than
	// Options.MaxBytes. Nothing is left allocated.
	ErrMemory = errors.New("not enough memory")
)

// MemoryError is an ErrMemory with its figures, in bytes.
type MemoryError struct {
	Needed, Allowed float64
	Delegated       float64 // of Needed, what the delegate takes of the host's memory
	Delegate        string  // its name
}

func (e *MemoryError) Error() string {
	share := ""
	if e.Delegated > 0 {
		share = fmt.Sprintf(", %s of them by %s", bytesize.Precise(e.Delegated), e.Delegate)
	}
	return fmt.Sprintf("%v: %s are needed%s, %s are to be had", ErrMemory, bytesize.Precise(e.Needed), share, bytesize.Precise(e.Allowed))
}

func (e *MemoryError) Unwrap() error { return ErrMemory }
