package platform

import (
	"os"
	"strconv"
	"strings"
)

// AvailableBytes is the memory that the system can give without swapping or
// ending other programs; 0 where it does not tell.
func AvailableBytes() int64 { return memoryInfo("MemAvailable") }

// PhysicalBytes is the memory that the machine has; 0 where it does not tell.
func PhysicalBytes() int64 { return memoryInfo("MemTotal") }

func memoryInfo(key string) int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	return parseMemoryInfo(string(text), key)
}

// parseMemoryInfo reads a line as "MemTotal:  24576000 kB".
func parseMemoryInfo(text, key string) int64 {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == key+":" && fields[2] == "kB" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil || n < 0 || n >= 1<<50 {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
