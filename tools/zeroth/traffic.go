package main

import (
	"fmt"
	"io"

	"zeroth/internal/bytesize"
	"zeroth/runtime/executor"
)

// traffic is what crosses between host and device.
type traffic struct {
	up, down         int64 // so far, at the last look
	looked           bool
	stepUp, stepDown int64 // the most in a step, the first not counted: it brings the adapter
}

// look sees what has crossed since the last look, and counts it as a step's if it
// is one's.
func (t *traffic) look(s *executor.Session, step bool) (up, down int64) {
	nowUp, nowDown := s.Moved()
	up, down = nowUp-t.up, nowDown-t.down
	if step && t.looked {
		t.stepUp, t.stepDown = max(t.stepUp, up), max(t.stepDown, down)
	}
	t.up, t.down, t.looked = nowUp, nowDown, true
	return up, down
}

// print tells of it, and of the memory that the device holds, if there is one.
func (t *traffic) print(out io.Writer, backend string, s *executor.Session) {
	if t.up == 0 && t.down == 0 {
		return
	}
	fmt.Fprintf(out, "moved   %s to %s and %s back in a step; %s and %s in all\n",
		bytesize.Format(t.stepUp), backend, bytesize.Format(t.stepDown), bytesize.Format(t.up), bytesize.Format(t.down))
	if m := delegateMemory(s); m != nil {
		fmt.Fprintf(out, "memory  %s holds %s\n", backend, describeMemory(m))
	}
}

// addTo adds the same to what JSON shows.
func (t *traffic) addTo(fields map[string]any, s *executor.Session) {
	if t.up == 0 && t.down == 0 {
		return
	}
	fields["moved_up"], fields["moved_down"] = t.up, t.down
	fields["step_moved_up"], fields["step_moved_down"] = t.stepUp, t.stepDown
	if m := delegateMemory(s); m != nil {
		fields["device_memory"] = m
	}
}
