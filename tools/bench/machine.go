package bench

import (
	"runtime"

	"zeroth/kernels/cpu"
	"zeroth/runtime/platform"

	"github.com/klauspost/cpuid/v2"
)

// Machine is what was measured on.
type Machine struct {
	Processor string `json:"processor"`
	System    string `json:"system"` // GOOS/GOARCH
	Go        string `json:"go"`
	Level     string `json:"level"` // the instruction sets in use
	Threads   int    `json:"threads"`
}

// Workers are the threads that something is measured on.
type Workers struct {
	Threads int           // 0: as many as the process may use, or one for each of CPUs
	CPUs    platform.CPUs // that they are held to; none: wherever the system puts them
}

func (w Workers) pool() (*platform.Pool, error) { return platform.NewPoolOn(w.CPUs, w.Threads) }

// ThisMachine describes the machine.
func ThisMachine(f cpu.Features, w Workers) (Machine, error) {
	pool, err := w.pool()
	if err != nil {
		return Machine{}, err
	}
	defer pool.Close()
	return Machine{
		Processor: cpuid.CPU.BrandName, System: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Level: f.String(), Threads: pool.Workers(),
	}, nil
}
