package plugin

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"unsafe"

	"zeroth/runtime/kernel"
)

// The first run of each node in a session is watched: outputs are poisoned, and
// what may not change is summed up before and after. It finds at once, and names,
// what a kernel leaves out at the shapes of a real program.

// poisonWord is word i of the filling: quiet NaNs that differ from their
// neighbours and that no arithmetic gives.
func poisonWord(i int) uint32 { return 0x7fc00001 | uint32(i)<<1&0x3ffffe }

func poison(data []byte) {
	for i := 0; i+4 <= len(data); i += 4 {
		binary.NativeEndian.PutUint32(data[i:], poisonWord(i/4))
	}
}

// unwritten finds the first word that still holds the poison.
func unwritten(data []byte) (element int, found bool) {
	for i := 0; i+4 <= len(data); i += 4 {
		if binary.NativeEndian.Uint32(data[i:]) == poisonWord(i/4) {
			return i / 4, true
		}
	}
	return 0, false
}

// used is the part of a tensor's storage that a run has to do with.
func used(t *kernel.Tensor) []byte { return t.Data[:bytes(t)] }

func overlap(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	from, to := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return from < to+uintptr(len(b)) && to < from+uintptr(len(a))
}

// watch runs a kernel of a plug-in whose outputs must be written and whose inputs
// must stay: one that is lost is fatal. Outputs that lie over inputs are left out,
// and so are those inputs; constants lie in memory that cannot be written.
func watch(plugin string, c *kernel.Call, run func() error) error {
	over := func(out *kernel.Tensor) bool {
		for _, in := range c.In {
			if overlap(used(in), used(out)) {
				return true
			}
		}
		return false
	}
	sum := func(i int) uint32 {
		if c.In[i].Constant || c.Spec.Inputs[i].Mutable {
			return 0
		}
		for _, out := range c.Out {
			if overlap(used(c.In[i]), used(out)) {
				return 0
			}
		}
		return crc32.ChecksumIEEE(used(c.In[i]))
	}
	for _, out := range c.Out {
		if !over(out) {
			poison(used(out))
		}
	}
	sums := make([]uint32, len(c.In))
	for i := range c.In {
		sums[i] = sum(i)
	}
	if err := run(); err != nil {
		return err
	}
	for i := range c.In {
		if sum(i) != sums[i] {
			return fmt.Errorf("%w, %w: %s: %s changed its input %d (%s)", ErrCall, ErrFatal, plugin, c.Spec.Name, i, c.Spec.Inputs[i].Name)
		}
	}
	for i, out := range c.Out {
		if over(out) {
			continue
		}
		if element, found := unwritten(used(out)); found {
			return fmt.Errorf("%w: %s: %s left element %d of output %d unwritten", ErrCall, plugin, c.Spec.Name, element, i)
		}
	}
	return nil
}
