package platform

import (
	"io/fs"
	"os"
	"runtime"
	"slices"
)

// narrowCores load 64 bits at a time: a load of 128 bits keeps everything behind it
// waiting for two cycles.
var narrowCores = []string{"Cortex-A53", "Cortex-A55"}

// NarrowLoads reports whether all processors of the machine load 64 bits at a time,
// those that are offline included, so that code for such processors harms none. It
// is false where the system does not tell.
func NarrowLoads() bool {
	return runtime.GOARCH == "arm64" && narrowLoads(os.DirFS("/sys/devices/system/cpu"))
}

func narrowLoads(tree fs.FS) bool {
	present, err := ParseCPUs(firstLine(tree, "present"))
	if err != nil {
		return false
	}
	known := 0
	for _, cluster := range clusters(tree, 0) {
		if !slices.Contains(narrowCores, cluster.Core) {
			return false
		}
		known += len(cluster.CPUs)
	}
	return known > 0 && known == len(present)
}
