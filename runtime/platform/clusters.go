package platform

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// CoreKind is what the system tells of a CPU. Numbers that it does not tell are
// 0.
type CoreKind struct {
	Core     string `json:"core,omitempty"`     // where an ID register tells: "Cortex-A55"
	Capacity int64  `json:"capacity,omitempty"` // relative speed, 1024 being the fastest of the machine
	MaxKHz   int64  `json:"max_khz,omitempty"`
	L1dBytes int64  `json:"l1d_bytes,omitempty"`
	L2Bytes  int64  `json:"l2_bytes,omitempty"`
	L3Bytes  int64  `json:"l3_bytes,omitempty"`
}

// Cluster is a set of like CPUs.
type Cluster struct {
	CPUs CPUs `json:"cpus"`
	CoreKind
}

// Clusters lists the CPUs that are online, like ones together, in the order of
// the first of each. Where the system does not tell them apart all are one
// cluster.
func Clusters() []Cluster { return clusters(os.DirFS("/sys/devices/system/cpu"), runtime.NumCPU()) }

// clusters reads Linux's tree of CPUs; without it there are CPUs 0 … cpus−1.
func clusters(tree fs.FS, cpus int) []Cluster {
	online, err := ParseCPUs(firstLine(tree, "online"))
	if err != nil {
		online = nil
		for cpu := range cpus {
			online = append(online, cpu)
		}
	}
	var list []Cluster
	place := make(map[CoreKind]int)
	for _, cpu := range online {
		kind := coreKind(tree, fmt.Sprintf("cpu%d", cpu))
		at, known := place[kind]
		if !known {
			at = len(list)
			place[kind] = at
			list = append(list, Cluster{CoreKind: kind})
		}
		list[at].CPUs = append(list[at].CPUs, cpu)
	}
	return list
}

func coreKind(tree fs.FS, folder string) CoreKind {
	kind := CoreKind{
		Core:     armCore(firstLine(tree, path.Join(folder, "regs/identification/midr_el1"))),
		Capacity: number(firstLine(tree, path.Join(folder, "cpu_capacity"))),
		MaxKHz:   number(firstLine(tree, path.Join(folder, "cpufreq/cpuinfo_max_freq"))),
	}
	for index := range 8 { // Linux numbers a CPU's caches without gaps
		cache := path.Join(folder, "cache", fmt.Sprintf("index%d", index))
		size := cacheBytes(firstLine(tree, path.Join(cache, "size")))
		switch firstLine(tree, path.Join(cache, "level")) + firstLine(tree, path.Join(cache, "type")) {
		case "1Data", "1Unified":
			kind.L1dBytes = size
		case "2Unified":
			kind.L2Bytes = size
		case "3Unified":
			kind.L3Bytes = size
		}
	}
	return kind
}

// firstLine reads a file of one line; what cannot be read is empty.
func firstLine(tree fs.FS, name string) string {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}

// number reads a decimal that is not negative; anything else is 0.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// cacheBytes reads a size as Linux writes it: "512K".
func cacheBytes(text string) int64 {
	digits, isKilo := strings.CutSuffix(text, "K")
	n := number(digits)
	if !isKilo || n > math.MaxInt64>>10 {
		return 0
	}
	return n << 10
}
