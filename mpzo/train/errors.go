package train

import "errors"

var (
	// ErrSettings is wrapped when settings are out of range or do not fit the
	// program or the data.
	ErrSettings = errors.New("invalid training settings")
	// ErrDiverged is wrapped when a loss is no longer a finite number after a step. The
	// adapter is as it was before the step.
	ErrDiverged = errors.New("training diverged")
	// ErrNotFinite is wrapped when a model gives no finite loss that no step has
	// changed: its weights or its adapter are to blame.
	ErrNotFinite = errors.New("the model gives no finite loss")
	// ErrProgram is wrapped when a program cannot be trained.
	ErrProgram = errors.New("program cannot be trained")
	// ErrAdapter is wrapped when an adapter is not of this program.
	ErrAdapter = errors.New("adapter does not fit the program")
)
