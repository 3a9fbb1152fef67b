package platform

import "golang.org/x/sys/unix"

// pinThread holds the present thread to the CPUs.
func pinThread(cpus CPUs) error {
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	return unix.SchedSetaffinity(0, &set)
}

func onMainThread() bool { return unix.Gettid() == unix.Getpid() }
