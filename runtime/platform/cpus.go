package platform

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// ErrCPUs is wrapped when a list of CPUs is malformed, or names one that the
// process cannot be held to.
var ErrCPUs = errors.New("CPUs not usable")

// maxCPUs bounds the numbers in a list; Linux's own mask has 1024 bits.
const maxCPUs = 1024

// CPUs are numbers of logical processors, ascending, each once.
type CPUs []int

// ParseCPUs reads a list as Linux writes it: "0-3,6".
func ParseCPUs(list string) (CPUs, error) {
	var cpus CPUs
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		low, err := parseCPU(from)
		if err != nil {
			return nil, fmt.Errorf("%w: list %q: %w", ErrCPUs, list, err)
		}
		high, err := parseCPU(to)
		if err != nil {
			return nil, fmt.Errorf("%w: list %q: %w", ErrCPUs, list, err)
		}
		if high < low {
			return nil, fmt.Errorf("%w: list %q: %s runs backwards", ErrCPUs, list, part)
		}
		for cpu := low; cpu <= high; cpu++ {
			cpus = append(cpus, cpu)
		}
		if len(cpus) > maxCPUs {
			return nil, fmt.Errorf("%w: list names more than %d", ErrCPUs, maxCPUs)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

func parseCPU(text string) (int, error) {
	cpu, err := strconv.ParseUint(text, 10, 16)
	if err != nil || cpu >= maxCPUs {
		return 0, fmt.Errorf("%q is no CPU number from 0 to %d; write 0-3,6", text, maxCPUs-1)
	}
	return int(cpu), nil
}

// String writes the list as ParseCPUs reads it.
func (c CPUs) String() string {
	var b strings.Builder
	for i := 0; i < len(c); {
		last := i
		for last+1 < len(c) && c[last+1] == c[last]+1 {
			last++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(c[i]))
		if last > i {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(c[last]))
		}
		i = last + 1
	}
	return b.String()
}

// Check fails, saying which and why, unless threads of this process can be held
// to each of the CPUs.
func (c CPUs) Check() error {
	if len(c) == 0 {
		return fmt.Errorf("%w: none named", ErrCPUs)
	}
	for _, cpu := range c {
		if err := tryPin(CPUs{cpu}); err != nil {
			return fmt.Errorf("%w: CPU %d: %w", ErrCPUs, cpu, explain(cpu, err))
		}
	}
	return nil
}

// explain says what is wrong with a CPU, if the system tells, and else how
// pinning to it failed.
func explain(cpu int, err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if possible, readErr := systemCPUs("possible"); readErr == nil && !slices.Contains(possible, cpu) {
		return fmt.Errorf("does not exist; this machine has %s", possible)
	}
	if online, readErr := systemCPUs("online"); readErr == nil && !slices.Contains(online, cpu) {
		return fmt.Errorf("is offline; online are %s", online)
	}
	return fmt.Errorf("is not for this process: %w", err)
}

// systemCPUs reads one of Linux's lists: possible, present, online, ….
func systemCPUs(name string) (CPUs, error) {
	text, err := os.ReadFile("/sys/devices/system/cpu/" + name)
	if err != nil {
		return nil, err
	}
	return ParseCPUs(strings.TrimSpace(string(text)))
}

// tryPin pins a thread, which then ends.
func tryPin(cpus CPUs) error {
	result := make(chan error)
	onOwnThread(func() { result <- pinThread(cpus) })
	return <-result
}

// onOwnThread runs f on a thread that nothing else runs on, before or after: it
// ends with f, and with it whatever f changed of it. Go starts new threads from
// one that it keeps clean for that, so none inherits the change.
func onOwnThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if !onMainThread() {
			f()
			return
		}
		// The main thread cannot end. While it is locked, f gets another.
		locked := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(locked)
			f()
		}()
		<-locked
		runtime.UnlockOSThread()
	}()
}
