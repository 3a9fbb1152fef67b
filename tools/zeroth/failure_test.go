package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"zeroth/kernels/opencl/cl"
	"zeroth/kernels/vulkan/vk"
	"zeroth/mpzo/train"
)

// What a user can do about a failed run is said, and only where it helps.
func TestFailedRunsAreExplained(t *testing.T) {
	r := trainRun{folder: "out", config: runConfig{Program: "m.zpt"}}
	for _, c := range []struct {
		err  error
		hint string
	}{
		{fmt.Errorf("step 7: %w", &fs.PathError{Op: "write", Path: "out/journal", Err: syscall.ENOSPC}), "make room, then go on with: zeroth train --resume out"},
		{fmt.Errorf("step 7: %w", &fs.PathError{Op: "write", Path: "out/journal", Err: syscall.EDQUOT}), "zeroth train --resume out"},
		{fmt.Errorf("step 7: %w", train.ErrDiverged), "zeroth replay m.zpt --journal out --out NEW"},
		{fmt.Errorf("step 7: a card: %w", vk.ErrTimeout), "zeroth train --resume out --backend cpu"},
		{fmt.Errorf("step 7: a card: %w", cl.ErrLost), "zeroth train --resume out --backend cpu"},
		{&fs.PathError{Op: "write", Path: "out/journal", Err: syscall.EIO}, ""},
	} {
		got := r.explain(c.err)
		var h hinted
		if errors.As(got, &h); !errors.Is(got, c.err) || !strings.Contains(h.hint, c.hint) || (h.hint == "") != (c.hint == "") {
			t.Errorf("%v: %v, hint %q; want it to say %q", c.err, got, h.hint, c.hint)
		}
	}
}
