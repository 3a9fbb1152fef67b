package main

import (
	"os"
	"strconv"
	"strings"
)

// memoryWithoutLimit is taken for a machine that does not tell what it has.
const memoryWithoutLimit = 1 << 40

// physicalBytes is the memory that the process may use at most.
func physicalBytes() int64 {
	bytes := int64(memoryWithoutLimit)
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if total, ok := memTotal(string(text)); ok {
			bytes = min(bytes, total)
		}
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
			bytes = min(bytes, limit)
		}
	}
	return bytes
}

// memTotal reads "MemTotal:  24576000 kB" in Linux's /proc/meminfo.
func memTotal(text string) (bytes int64, ok bool) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err == nil && n > 0 && n < 1<<50
		}
	}
	return 0, false
}
