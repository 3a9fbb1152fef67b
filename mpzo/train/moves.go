package train

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Moves say how B moves from the slopes that an estimator found: everything that
// rebuilding a run needs beside its steps.
type Moves struct {
	Optimizer string  `json:"optimizer,omitempty"` // one of Optimizers; empty: sgd
	Momentum  float32 `json:"momentum,omitempty"`  // β of the mean over past estimates, 0 ≤ β < 1; sgd has none
	Clip      float32 `json:"clip,omitempty"`      // most that a slope may be, in units of their usual size; 0: any
	Normalise bool    `json:"normalise,omitempty"` // divide slopes by their usual size
}

// The keys under which a journal's settings tell of moves. A journal without
// them is of plain ZO-SGD.
const (
	keyOptimizer = "optimizer"
	keyMomentum  = "momentum"
	keyClip      = "clip"
	keyNormalise = "normalise"
)

const sgd = "sgd"

// DefaultMomentum is the β of the optimizers that average.
const DefaultMomentum = 0.9

// Optimizers lists the optimizers by name.
func Optimizers() []string { return []string{sgd, "momentum", "muon"} }

// Averages reports whether the optimizer takes a mean over past steps.
func (v Moves) Averages() bool { return v.Optimizer != "" && v.Optimizer != sgd }

// Check returns an error naming the first of the moves that is out of range.
func (v Moves) Check() error {
	switch {
	case v.Optimizer != "" && !slices.Contains(Optimizers(), v.Optimizer):
		return fmt.Errorf("%w: no optimizer %.40q: choose among %s", ErrSettings, v.Optimizer, strings.Join(Optimizers(), ", "))
	case !(v.Momentum >= 0 && v.Momentum < 1):
		return fmt.Errorf("%w: momentum %g is not within 0 and 1, 1 excluded", ErrSettings, v.Momentum)
	case v.Momentum > 0 && !v.Averages():
		return fmt.Errorf("%w: sgd has no momentum: choose the optimizer momentum", ErrSettings)
	case !(v.Clip == 0 || v.Clip > 0 && v.Clip <= math.MaxFloat32):
		return fmt.Errorf("%w: clip %g must be above 0, or 0 for none", ErrSettings, v.Clip)
	}
	return nil
}

// Describe writes the moves to a journal's settings.
func (v Moves) Describe(settings map[string]string) {
	number := func(key string, value float32) {
		if value != 0 {
			settings[key] = strconv.FormatFloat(float64(value), 'g', -1, 32)
		}
	}
	if v.Averages() {
		settings[keyOptimizer] = v.Optimizer
	}
	number(keyMomentum, v.Momentum)
	number(keyClip, v.Clip)
	if v.Normalise {
		settings[keyNormalise] = "true"
	}
}

// ReadMoves reads them back.
func ReadMoves(settings map[string]string) (Moves, error) {
	v := Moves{Optimizer: settings[keyOptimizer]}
	for _, n := range []struct {
		key  string
		into *float32
	}{{keyMomentum, &v.Momentum}, {keyClip, &v.Clip}} {
		text, there := settings[n.key]
		if !there {
			continue
		}
		value, err := strconv.ParseFloat(text, 32)
		if err != nil {
			return v, fmt.Errorf("%w: the journal's setting %s is %q, not a number", ErrSettings, n.key, text)
		}
		*n.into = float32(value)
	}
	if text, there := settings[keyNormalise]; there {
		var err error
		if v.Normalise, err = strconv.ParseBool(text); err != nil {
			return v, fmt.Errorf("%w: the journal's setting %s is %q, not true or false", ErrSettings, keyNormalise, text)
		}
	}
	return v, v.Check()
}
