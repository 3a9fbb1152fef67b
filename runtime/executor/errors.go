package executor

import "errors"

var (
	// ErrNoMethod is wrapped when a program has no method of a name.
	ErrNoMethod = errors.New("no such method")
	// ErrInput is wrapped when an input's values or extents break a method's
	// contract. Nothing has run and no slot has changed.
	ErrInput = errors.New("invalid input")
	// ErrBounds is wrapped when a session cannot be made for its bounds.
	ErrBounds = errors.New("invalid session bounds")
	// ErrMemory is wrapped when a session would allocate more than
	// Options.MaxBytes. Nothing was allocated.
	ErrMemory = errors.New("not enough memory")
)
