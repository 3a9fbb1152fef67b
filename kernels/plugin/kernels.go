package plugin

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"unsafe"

	"zeroth/kernels/dl"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// maxScratch is more than any kernel can need: a nonsense size is refused
// before anybody tries to allocate it.
const maxScratch = min(1<<46, math.MaxInt)

// Kernels are the plug-in's kernels as they are: what fails, fails. The cost of
// one is minus the plug-in's score, so it is picked before any of our own.
func (p *Plugin) Kernels() []kernel.Kernel {
	if !p.HasKernels() {
		return nil
	}
	var list []kernel.Kernel
	for _, spec := range op.All() {
		list = append(list, kernel.Kernel{
			Op: spec.ID, Name: strings.ToLower(spec.Name) + "_" + p.name, Cost: -p.score,
			Supports: func(in []op.Type, attrs op.Attrs) bool { return p.takes(spec, in, attrs) },
			Scratch:  p.scratch,
			Bind: func(c *kernel.Call) (kernel.Runner, error) {
				r, err := p.bind(c)
				if err != nil {
					return nil, err
				}
				return r, nil
			},
		})
	}
	return list
}

// takes asks whether the plug-in computes a node, whatever its extents will be.
func (p *Plugin) takes(spec *op.Spec, in []op.Type, attrs op.Attrs) bool {
	node, err := describeTypes(spec, attrs, in)
	if err == nil {
		_, err = p.query(node)
	}
	if err != nil && !errors.Is(err, ErrUnsupported) {
		p.log(err.Error())
	}
	return err == nil
}

func (p *Plugin) query(node *cNode) (scratch int, err error) {
	info, f := &cKernelInfo{size: sizeOf[cKernelInfo]()}, newFault()
	err = p.call("kernel_query", p.table.kernelQuery, p.table.kernelFlags, f,
		p.state, uintptr(unsafe.Pointer(node)), uintptr(unsafe.Pointer(info)), f.pointer())
	if err == nil && info.scratchBytes > maxScratch {
		err = fmt.Errorf("%w: %s: kernel_query of %s wants %d bytes of scratch", ErrTable, p.name, op.ID(node.op), info.scratchBytes)
	}
	return int(info.scratchBytes), err
}

// scratch is what the call's kernel wants; Bind tells of what is wrong with it.
func (p *Plugin) scratch(c *kernel.Call) int {
	bytes, err := p.query(describeCall(c).node)
	if err != nil {
		return 0
	}
	return bytes
}

// bound is a kernel of the plug-in's for one call.
type bound struct {
	plugin *Plugin
	op     op.ID
	handle uintptr
	call   *call
	c      *cCall
	fault  *fault
	args   []uintptr // handle, c, fault
}

func (p *Plugin) bind(c *kernel.Call) (*bound, error) {
	b := &bound{plugin: p, op: c.Spec.ID, call: describeCall(c), fault: newFault()}
	scratch, err := p.query(b.call.node)
	if err != nil {
		return nil, err
	}
	if len(c.Scratch) < scratch {
		return nil, fmt.Errorf("%w: %s: kernel_query of %s wants %d bytes of scratch, and %d when it is bound",
			ErrTable, p.name, c.Spec.Name, len(c.Scratch), scratch)
	}
	b.call.show(false)
	err = p.call("kernel_bind", p.table.kernelBind, p.table.kernelFlags, b.fault,
		p.state, uintptr(unsafe.Pointer(b.call.node)), uintptr(unsafe.Pointer(&b.handle)), b.fault.pointer())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Spec.Name, err)
	}
	b.c = &cCall{size: sizeOf[cCall](), threads: 1, node: b.call.node, scratchBytes: uint64(scratch)}
	if scratch > 0 {
		b.c.scratch = unsafe.Pointer(unsafe.SliceData(c.Scratch))
	}
	if c.Pool != nil {
		b.c.threads = uint32(c.Pool.Workers())
	}
	b.args = []uintptr{b.handle, uintptr(unsafe.Pointer(b.c)), b.fault.pointer()}
	runtime.AddCleanup(b, func(handle uintptr) { p.release(p.table.kernelUnbind, p.table.kernelFlags, handle) }, b.handle)
	return b, nil
}

// Run calls the kernel on the tensors' present extents.
func (b *bound) Run() error {
	b.call.resize()
	b.call.show(true)
	b.fault.clear()
	result := b.enter()
	runtime.KeepAlive(b)
	if err := b.fault.check(b.plugin.name, "kernel_run", result); err != nil {
		return fmt.Errorf("%s: %w", b.op, err)
	}
	return nil
}

func (b *bound) enter() uintptr {
	if b.plugin.table.kernelFlags&flagConcurrent == 0 {
		serial.Lock()
		defer serial.Unlock()
	}
	return dl.Call(b.plugin.table.kernelRun, b.args...)
}
