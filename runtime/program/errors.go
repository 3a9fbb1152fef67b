package program

import "errors"

// The errors of this package wrap one of these and name the field and number
// that is wrong: "methods[1].nodes[17].inputs[0]: value 99 of 40: invalid program".
var (
	// ErrFormat: the bytes are no program file, or are cut short or malformed.
	// Export or copy the file again.
	ErrFormat = errors.New("malformed program file")
	// ErrVersion: the file, or an op in it, is of another version than this
	// build reads. Use a newer zeroth, or export again.
	ErrVersion = errors.New("program file of another version")
	// ErrChecksum: a SHA-256 does not match: the file is damaged.
	ErrChecksum = errors.New("checksum does not match")
	// ErrLimit: a count or size is above a limit of limits.go.
	ErrLimit = errors.New("program limit exceeded")
	// ErrInvalid: the program is readable, but breaks a rule of Verify.
	ErrInvalid = errors.New("invalid program")
)
