package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// errMemory is wrapped when a command would need more memory than there is.
var errMemory = errors.New("not enough memory")

// memoryWithoutLimit is taken for a machine that does not tell what it has.
const memoryWithoutLimit = 1 << 40

// checkMemory refuses bounds that cannot fit before anything is allocated: the
// Go runtime ends the process when it runs out.
func checkMemory(p *program.Program, bounds op.Extents, methods []string) error {
	need, err := leastBytes(p, bounds, methods)
	if err != nil {
		return err
	}
	if have := physicalBytes(); need > float64(have) {
		return fmt.Errorf("%w: at least %s are needed, this machine has %s", errMemory, formatBytes(int64(min(need, 1<<62))), formatBytes(have))
	}
	return nil
}

// leastBytes is a lower bound of what a session allocates, in bytes: the inputs
// and outputs of its methods, and the temporaries that live at the same time in
// the largest of them. The kernels' scratch comes on top.
func leastBytes(p *program.Program, bounds op.Extents, methods []string) (float64, error) {
	outside, arena := 0.0, 0.0
	for _, name := range methods {
		m := p.Method(name)
		if m == nil {
			continue // the session says so
		}
		size := make([]float64, len(m.Values))
		for i, v := range m.Values {
			if v.Kind == program.ConstRef || v.Kind == program.SlotRef {
				continue
			}
			n, err := v.Type.Bytes(bounds)
			if err != nil {
				return 0, fmt.Errorf("%w: method %s: %s: %w", errMemory, name, v.Name, err)
			}
			size[i] = float64(n)
			if v.Kind == program.Input || slices.Contains(m.Outputs, i) {
				outside += size[i]
				size[i] = 0
			}
		}
		arena = max(arena, peakBytes(m, size))
	}
	return outside + arena, nil
}

// peakBytes walks the nodes and gives the most bytes of temporaries that live
// at once. What a node may overwrite is not counted beside its result.
func peakBytes(m *program.Method, size []float64) float64 {
	lastUse := make([]int, len(m.Values))
	for i := range m.Nodes {
		for _, v := range m.Nodes[i].In {
			lastUse[v] = i
		}
	}
	live, peak := 0.0, 0.0
	free := func(i int) {
		for at, v := range m.Nodes[i].In {
			if lastUse[v] == i && !slices.Contains(m.Nodes[i].In[:at], v) {
				live -= size[v]
			}
		}
	}
	for i := range m.Nodes {
		spec, known := op.Lookup(m.Nodes[i].Op)
		inPlace := known && spec.InPlace
		if inPlace {
			free(i)
		}
		for _, v := range m.Nodes[i].Out {
			live += size[v]
		}
		peak = max(peak, live)
		if !inPlace {
			free(i)
		}
	}
	return peak
}

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
