package main

import (
	"os"
	"strconv"
	"strings"

	"zeroth/runtime/platform"
)

// memoryWithoutLimit is taken for a machine that does not tell what it has.
const memoryWithoutLimit = 1 << 40

// physicalBytes is the memory that the process may use at most.
func physicalBytes() int64 {
	bytes := int64(memoryWithoutLimit)
	if total := platform.PhysicalBytes(); total > 0 {
		bytes = min(bytes, total)
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
			bytes = min(bytes, limit)
		}
	}
	return bytes
}
