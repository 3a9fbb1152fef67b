package cpu

import "errors"

// ErrFeature is wrapped when an instruction set is named that does not exist
// or that this machine lacks.
var ErrFeature = errors.New("instruction set not available")
