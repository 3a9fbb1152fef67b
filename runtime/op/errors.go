package op

import "errors"

// ErrInvalid is wrapped by every error that says a type, an attribute, a shape
// or an index value breaks an op's rules.
var ErrInvalid = errors.New("invalid op")
