package platform

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The priority cannot be raised again, so a process of its own lowers it.
func TestLowerPriority(t *testing.T) {
	const marker = "ZEROTH_TEST_PRIORITY"
	if os.Getenv(marker) == "" {
		command := exec.Command(os.Args[0], "-test.run=^TestLowerPriority$", "-test.v")
		command.Env = append(os.Environ(), marker+"=1")
		out, err := command.CombinedOutput()
		if errors.Is(err, unix.ENOEXEC) {
			t.Skip("skipped: an emulated process cannot start another")
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	said, err := LowerPriority()
	if err != nil || !strings.HasPrefix(said, "nice 19") {
		t.Fatalf("%q, %v", said, err)
	}
	got := make(chan int)
	go func() { // a thread that is started afterwards
		value, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		if err != nil {
			value = 0
		}
		got <- 20 - value // the system call gives 20 − nice
	}()
	if nice := <-got; nice != leastPriority {
		t.Errorf("a thread has nice %d after %q", nice, said)
	}
}
