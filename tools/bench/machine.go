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

// ThisMachine describes the machine, with a number of threads or, for 0, as many
// as the process may use.
func ThisMachine(f cpu.Features, threads int) Machine {
	pool := platform.NewPool(threads)
	defer pool.Close()
	return Machine{
		Processor: cpuid.CPU.BrandName, System: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Level: f.String(), Threads: pool.Workers(),
	}
}
