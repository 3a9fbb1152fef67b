package opencl

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
)

// ErrDevice is wrapped when there is no such device.
var ErrDevice = errors.New("no such opencl device")

// Options say which device is opened, and how.
type Options struct {
	Index   int           // of the device, in the order that OpenCL lists them
	Timeout time.Duration // for a batch of work; 0 means defaultTimeout
	// BuildTimeout is for the driver's compiler and one kernel; 0 means
	// defaultBuildTimeout.
	BuildTimeout time.Duration
	GPU          gpu.Options // how ops are computed; on a processor the tile is processorTile where none is given
	Arithmetic   Arithmetic  // what products are computed with
	// Cache is the folder in which built kernels are kept; empty means one in
	// the user's cache folder, or none where the driver has one of its own.
	Cache string
}

// defaultTimeout is beyond what any batch takes, on a slow device too;
// defaultBuildTimeout beyond any compiler.
const (
	defaultTimeout      = 5 * time.Minute
	defaultBuildTimeout = 10 * time.Minute
)

// Device is an opened device with its programs. It runs one thing at a time.
type Device struct {
	device       *cl.Device
	ops          *gpu.Ops
	timeout      time.Duration // for a batch of work
	buildTimeout time.Duration // for a kernel
	limits       gpu.Limits
	cache        cache

	running  sync.Mutex // held while the device runs or copies something
	building sync.Mutex // guards programs
	programs map[programKey]*built
}

// Open opens a device.
func Open(o Options) (*Device, error) {
	list, err := cl.Devices()
	if err != nil {
		return nil, err
	}
	if o.Index < 0 || o.Index >= len(list) {
		return nil, fmt.Errorf("%w: number %d; OpenCL lists %d, from 0", ErrDevice, o.Index, len(list))
	}
	p := list[o.Index]
	d := &Device{timeout: o.Timeout, limits: limitsOf(p, o.Arithmetic.Of(p)), programs: make(map[programKey]*built)}
	if d.timeout <= 0 {
		d.timeout = defaultTimeout
	}
	if d.buildTimeout = o.BuildTimeout; d.buildTimeout <= 0 {
		d.buildTimeout = defaultBuildTimeout
	}
	if p.Kind == "cpu" && o.GPU.Tile == (gpu.Tile{}) {
		o.GPU.Tile = processorTile
	}
	if d.device, err = p.Open(); err != nil {
		return nil, err
	}
	d.cache = newCache(o.Cache, p)
	if d.ops, err = gpu.New("opencl", d, o.GPU); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// processorTile is the tile of all products where a processor plays the device:
// its compiler takes a second for the smallest, and half a minute for a large one.
var processorTile = gpu.Tile{A: 2, B: 4}

// maxWorkGroups is the most work groups of a run: more would be no quicker.
const maxWorkGroups = 1<<16 - 1

// maxWords bounds what a kernel can address: it counts words in 32 bits, and a
// stride beyond the last of them.
const maxWords = 1 << 31

func limitsOf(p *cl.Physical, a gpu.Arithmetic) gpu.Limits {
	bytes := min(p.Limits.AllocationBytes, 4*maxWords)
	addressed := bytes
	if a.Store16 {
		addressed = min(bytes, 2*maxWords) // kernels count halves as they do words
	}
	return gpu.Limits{BufferBytes: addressed, PartBytes: addressed, AllocationBytes: bytes, WorkGroups: maxWorkGroups, MemoryBytes: p.Memory, Shared: p.Unified, Arithmetic: a}
}

// Delegate runs partitions on the device. The name is the backend's.
func (d *Device) Delegate(name string) backend.Delegate { return d.ops.Delegate(name) }

// Kernels are the device's kernels of all ops, on tensors in host memory.
func (d *Device) Kernels() []kernel.Kernel { return d.ops.Kernels() }

// Physical describes the device.
func (d *Device) Physical() *cl.Physical { return d.device.Physical }

// Close ends the device; nothing of it may be running or be run again. A device
// that does not answer is left as it is.
func (d *Device) Close() {
	d.running.Lock()
	defer d.running.Unlock()
	d.device.Close()
}

// TuningName implements gpu.Tuned. What is quick on a processor that plays a GPU
// says nothing.
func (d *Device) TuningName() string {
	p := d.device.Physical
	if p.Kind == "cpu" {
		return ""
	}
	return "opencl " + p.Name + " " + p.Platform + " " + p.Driver
}

// Limits implements gpu.Device.
func (d *Device) Limits() gpu.Limits { return d.limits }

// Allocate implements gpu.Device.
func (d *Device) Allocate(bytes int64, _ gpu.Use) (gpu.Buffer, error) {
	b, err := d.device.NewBuffer(bytes)
	if err != nil {
		return nil, inGPU(err)
	}
	return b, nil
}

// inGPU makes an error one of package gpu's, where it is.
func inGPU(err error) error {
	if errors.Is(err, cl.ErrMemory) {
		return fmt.Errorf("%w: %w", gpu.ErrMemory, err)
	}
	return err
}

// Upload implements gpu.Device.
func (d *Device) Upload(to gpu.Span, data []byte) error {
	d.running.Lock()
	defer d.running.Unlock()
	return inGPU(to.Buffer.(*cl.Buffer).Write(to.Offset, data[:min(int64(len(data)), to.Size)], d.timeout))
}

// Download implements gpu.Device.
func (d *Device) Download(data []byte, from gpu.Span) error {
	d.running.Lock()
	defer d.running.Unlock()
	return inGPU(from.Buffer.(*cl.Buffer).Read(from.Offset, data[:min(int64(len(data)), from.Size)], d.timeout))
}
