package cl

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"zeroth/kernels/dl"
)

// Program is a program built for a device.
type Program struct {
	device *Device
	handle uintptr
}

// Build compiles a program from OpenCL C, with the compiler's options.
func (d *Device) Build(source, options string) (*Program, error) {
	text, size, status := cString(source), new(uintptr(len(source))), new(int32)
	handle := d.entries.CreateProgramWithSource.make(d.context, 1, uintptr(unsafe.Pointer(&text)), uintptr(unsafe.Pointer(size)), uintptr(unsafe.Pointer(status)))
	runtime.KeepAlive(text)
	return d.build(handle, Status(*status), "clCreateProgramWithSource", options)
}

// Load makes a program from what Binary gave, on the same device with the same
// driver.
func (d *Device) Load(binary []byte, options string) (*Program, error) {
	if len(binary) == 0 {
		return nil, fmt.Errorf("%w: an empty binary", ErrBuild)
	}
	first, size := &binary[0], new(uintptr(len(binary)))
	device, fit, status := &d.Physical.handle, new(int32), new(int32)
	handle := d.entries.CreateProgramWithBinary.make(d.context, 1, uintptr(unsafe.Pointer(device)), uintptr(unsafe.Pointer(size)),
		uintptr(unsafe.Pointer(&first)), uintptr(unsafe.Pointer(fit)), uintptr(unsafe.Pointer(status)))
	runtime.KeepAlive(first)
	if *status == int32(success) {
		status = fit
	}
	return d.build(handle, Status(*status), "clCreateProgramWithBinary", options)
}

func (d *Device) build(handle uintptr, status Status, from, options string) (*Program, error) {
	p := &Program{device: d, handle: handle}
	if handle != 0 {
		d.owner.Keep(p, func() { d.entries.ReleaseProgram.call(handle) })
	}
	if err := check(status, from); err != nil {
		p.Free()
		return nil, fmt.Errorf("%w: %s: %w", ErrBuild, d.Physical.Name, err)
	}
	device, text := &d.Physical.handle, cString(options)
	err := check(d.entries.BuildProgram.call(handle, 1, uintptr(unsafe.Pointer(device)), uintptr(unsafe.Pointer(text)), 0, 0), "clBuildProgram")
	if err != nil {
		err = fmt.Errorf("%w: %s: %w%s", ErrBuild, d.Physical.Name, err, p.log())
		p.Free()
		return nil, err
	}
	return p, nil
}

// maxLog bounds what is shown of a compiler's log.
const maxLog = 4 << 10

// log is what the compiler said, indented below the error.
func (p *Program) log() string {
	d, size := p.device, new(uintptr)
	ask := func(room, to uintptr, n *uintptr) bool {
		return d.entries.GetProgramBuildInfo.call(p.handle, d.Physical.handle, programBuildLog, room, to, uintptr(unsafe.Pointer(n))) == success
	}
	if !ask(0, 0, size) || *size == 0 || *size > maxAnswer {
		return ""
	}
	text := make([]byte, *size)
	if d.entries.GetProgramBuildInfo.call(p.handle, d.Physical.handle, programBuildLog, *size, uintptr(unsafe.Pointer(&text[0])), 0) != success {
		return ""
	}
	return formatLog(text)
}

// formatLog shows a log line by line.
func formatLog(text []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if line = dl.Text([]byte(line), maxText); line == "" {
			continue
		}
		if b.Len()+len(line) > maxLog {
			b.WriteString("\n  … and more")
			break
		}
		b.WriteString("\n  " + line)
	}
	return b.String()
}

// maxBinary bounds the binaries that are kept.
const maxBinary = 64 << 20

// Binary is the program as the device has it, to be kept for Load.
func (p *Program) Binary() ([]byte, error) {
	d, size := p.device, new(uintptr)
	err := check(d.entries.GetProgramInfo.call(p.handle, programBinarySizes, unsafe.Sizeof(*size), uintptr(unsafe.Pointer(size)), 0), "clGetProgramInfo")
	if err != nil {
		return nil, err
	}
	if *size == 0 || *size > maxBinary {
		return nil, fmt.Errorf("%w: a binary of %d bytes", ErrBuild, *size)
	}
	binary := make([]byte, *size)
	first := &binary[0]
	err = check(d.entries.GetProgramInfo.call(p.handle, programBinaries, unsafe.Sizeof(first), uintptr(unsafe.Pointer(&first)), 0), "clGetProgramInfo")
	runtime.KeepAlive(first)
	return binary, err
}

// Free frees the program; its kernels stay.
func (p *Program) Free() { p.device.owner.Free(p) }

// Kernel is a function of a program with its arguments, which stay from one run
// to the next.
type Kernel struct {
	device *Device
	handle uintptr
	name   string
}

// NewKernel makes a kernel that will run in work groups of that many items.
func (p *Program) NewKernel(name string, items int) (*Kernel, error) {
	d, text, status := p.device, cString(name), new(int32)
	k := &Kernel{device: d, name: name}
	k.handle = d.entries.CreateKernel.make(p.handle, uintptr(unsafe.Pointer(text)), uintptr(unsafe.Pointer(status)))
	if err := check(Status(*status), "clCreateKernel"); err != nil {
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	d.owner.Keep(k, func() { d.entries.ReleaseKernel.call(k.handle) })
	most := new(uintptr)
	err := check(d.entries.GetKernelWorkGroupInfo.call(k.handle, d.Physical.handle, kernelWorkGroupSize, unsafe.Sizeof(*most), uintptr(unsafe.Pointer(most)), 0),
		"clGetKernelWorkGroupInfo")
	if err == nil && *most < uintptr(items) {
		err = fmt.Errorf("%w: it runs this in work groups of %d items, %d are needed", ErrUnusable, *most, items)
	}
	if err != nil {
		k.Free()
		return nil, fmt.Errorf("kernel %s on %s: %w", name, d.Physical.Name, err)
	}
	return k, nil
}

// SetBuffer makes argument i a buffer.
func (k *Kernel) SetBuffer(i int, b *Buffer) error {
	return k.set(i, unsafe.Sizeof(b.handle), unsafe.Pointer(&b.handle))
}

// SetWords makes argument i a value of words: an integer, or a structure of
// them.
func (k *Kernel) SetWords(i int, words ...uint32) error {
	return k.set(i, uintptr(4*len(words)), unsafe.Pointer(unsafe.SliceData(words)))
}

func (k *Kernel) set(i int, size uintptr, value unsafe.Pointer) error {
	if err := check(k.device.entries.SetKernelArg.call(k.handle, uintptr(i), size, uintptr(value)), "clSetKernelArg"); err != nil {
		return fmt.Errorf("kernel %s: argument %d: %w", k.name, i, err)
	}
	return nil
}

// Free frees the kernel. It must not be running.
func (k *Kernel) Free() { k.device.owner.Free(k) }

// Enqueue puts a run of groups work groups of items each at the end of the
// queue, with the arguments of the moment.
func (k *Kernel) Enqueue(groups, items int) error { return k.enqueue(groups, items, 0) }

// EnqueueTimed is Enqueue with an event that knows how long the run took, if
// Device.KeepTimes was called before. It must be freed.
func (k *Kernel) EnqueueTimed(groups, items int) (Event, error) {
	handle := new(uintptr)
	err := k.enqueue(groups, items, uintptr(unsafe.Pointer(handle)))
	return Event{k.device, *handle}, err
}

// enqueue calls the driver, which puts the run's event to a place, if any.
//
//go:uintptrescapes
func (k *Kernel) enqueue(groups, items int, event uintptr) error {
	d := k.device
	if err := d.Broken(); err != nil {
		return err
	}
	global, local := uintptr(groups*items), uintptr(items)
	err := check(d.entries.EnqueueNDRangeKernel.call(d.queue, k.handle, 1, 0, uintptr(unsafe.Pointer(&global)), uintptr(unsafe.Pointer(&local)), 0, 0, event),
		"clEnqueueNDRangeKernel")
	if err != nil {
		return d.failed(fmt.Errorf("%s: kernel %s: %w", d.Physical.Name, k.name, err))
	}
	return nil
}

// cString is a Go string for C: a copy that ends with a zero.
func cString(s string) *byte { return &append([]byte(s), 0)[0] }
