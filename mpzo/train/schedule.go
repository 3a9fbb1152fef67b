package train

import (
	"fmt"

	"zeroth/internal/elementary"
)

// Schedule says how the learning rate changes over a run.
type Schedule string

// The schedules.
const (
	Constant Schedule = "constant"
	Linear   Schedule = "linear" // falls to 0 along a line
	Cosine   Schedule = "cosine" // falls to 0 along half a cosine
)

// ParseSchedule reads a schedule's name.
func ParseSchedule(name string) (Schedule, error) {
	switch s := Schedule(name); s {
	case Constant, Linear, Cosine:
		return s, nil
	}
	return "", fmt.Errorf("%w: no schedule %q: choose constant, linear or cosine", ErrSettings, name)
}

// Rate is the learning rate of a step, 0 ≤ step < steps. Over the first warmup
// steps it rises along a line.
func (s Schedule) Rate(base float32, step, steps, warmup uint64) float32 {
	if step < warmup {
		base = float32(float64(base) * float64(step+1) / float64(warmup+1))
	}
	done := float64(step) / float64(steps)
	switch s {
	case Linear:
		return float32(float64(base) * (1 - done))
	case Cosine:
		return float32(float64(base) * (1 + elementary.CosPi(done)) / 2)
	}
	return base
}
