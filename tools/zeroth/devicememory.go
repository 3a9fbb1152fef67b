package main

import (
	"fmt"
	"io"
	"time"

	"zeroth/internal/bytesize"
	"zeroth/runtime/backend"
	"zeroth/runtime/executor"
)

// delegateMemory is what a backend's delegate holds for a session, nil where it has
// none or does not tell.
func delegateMemory(s *executor.Session) *backend.Memory {
	if held, ok := s.Delegated(); ok {
		return &held
	}
	return nil
}

// describeMemory says what a delegate holds, and of whose memory.
func describeMemory(m *backend.Memory) string {
	whose := "its own memory, which --mem-limit does not count"
	if m.Shared {
		whose = "the machine's memory"
	}
	return fmt.Sprintf("%s of %s: constants %s, slots %s, temporaries %s, inputs and outputs %s, other %s", bytesize.Format(m.Total()), whose,
		bytesize.Format(m.Constants), bytesize.Format(m.Slots), bytesize.Format(m.Temporaries), bytesize.Format(m.Values), bytesize.Format(m.Other))
}

// besideArena says behind the arena what a delegate holds, if there is one.
func besideArena(m *backend.Memory, backend string) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf(", %s on %s", bytesize.Format(m.Total()), backend)
}

// The times after which a backend that takes long to get ready says so first, and
// again.
const (
	firstPatience = 2 * time.Second
	nextPatience  = 5 * time.Second
)

// compileProgress tells how far a backend is with getting ready, where that takes
// long.
func compileProgress(out io.Writer, backend string) func(what string, done, total int) {
	if out == nil {
		return nil
	}
	next := time.Now().Add(firstPatience)
	return func(what string, done, total int) {
		if now := time.Now(); now.After(next) {
			next = now.Add(nextPatience)
			fmt.Fprintf(out, "zeroth: notice: %s gets ready: %s: %d of %d\n", backend, what, done, total)
		}
	}
}
