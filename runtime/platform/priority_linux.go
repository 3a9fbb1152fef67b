package platform

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// leastPriority is the nice value of what yields to everything else.
const leastPriority = 19

// backgroundGroups are where Android puts what nobody is waiting for: the little
// cores, mostly.
var backgroundGroups = []string{"/dev/cpuset/background/cgroup.procs", "/dev/cpuset/background/tasks"}

// LowerPriority makes the process yield to all others: nice 19 and SCHED_IDLE for
// each of its threads and those they start, and Android's background group of
// CPUs where it may be joined. It says what was done.
func LowerPriority() (string, error) {
	done := fmt.Sprintf("nice %d", leastPriority)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return "", err
	}
	idle := true
	for _, task := range tasks {
		id, err := strconv.Atoi(task.Name())
		if err != nil {
			continue
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, leastPriority); err != nil && !errors.Is(err, unix.ESRCH) {
			return "", fmt.Errorf("nice %d: %w", leastPriority, err)
		}
		if err := setIdle(id); err != nil && !errors.Is(err, unix.ESRCH) {
			idle = false
		}
	}
	if idle {
		done += ", SCHED_IDLE"
	}
	for _, group := range backgroundGroups {
		if os.WriteFile(group, []byte(strconv.Itoa(os.Getpid())), 0) == nil {
			return done + ", background CPUs", nil
		}
	}
	return done, nil
}

func setIdle(thread int) error {
	return unix.SchedSetAttr(thread, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE, Nice: leastPriority}, 0)
}
