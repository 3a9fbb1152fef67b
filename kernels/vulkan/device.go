package vulkan

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
)

// ErrDevice is wrapped when there is no such device.
var ErrDevice = errors.New("no such vulkan device")

// Options say which device is opened, and how.
type Options struct {
	Index    int           // of the device, in the order that Vulkan lists them
	Validate bool          // see vk.Options
	Timeout  time.Duration // for one submission; 0 means defaultTimeout
	// Staged copies to and from the device's own memory through a buffer even
	// where the host sees that memory, as it must elsewhere.
	Staged     bool
	Arithmetic Arithmetic
	GPU        gpu.Options
	// Cache is the folder in which compiled shaders are kept; empty means one in
	// the user's cache folder.
	Cache string
}

// defaultTimeout is beyond what any submission takes, on a slow device too.
const defaultTimeout = 5 * time.Minute

// Device is an opened device with its pipelines. It runs one thing at a time.
type Device struct {
	instance *vk.Instance
	device   *vk.Device
	ops      *gpu.Ops
	timeout  time.Duration
	limits   gpu.Limits
	staged   bool

	running   sync.Mutex // held while the device runs something
	staging   *staging
	building  sync.Mutex // guards pipelines, ran and cache
	pipelines map[pipelineKey]*vk.Pipeline
	ran       map[*vk.Pipeline]bool // those that are of a recording
	cache     *cache                // nil: nothing is kept
}

// Open opens a device.
func Open(o Options) (*Device, error) {
	instance, err := vk.Open(vk.Options{Validate: o.Validate})
	if err != nil {
		return nil, err
	}
	d := &Device{instance: instance, timeout: o.Timeout, staged: o.Staged, pipelines: make(map[pipelineKey]*vk.Pipeline), ran: make(map[*vk.Pipeline]bool)}
	if d.timeout <= 0 {
		d.timeout = defaultTimeout
	}
	if err := d.start(&o); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Device) start(o *Options) error {
	list, index := d.instance.Devices(), o.Index
	if index < 0 || index >= len(list) {
		return fmt.Errorf("%w: number %d; Vulkan lists %d, from 0", ErrDevice, index, len(list))
	}
	var err error
	if d.device, err = d.instance.NewDevice(list[index]); err != nil {
		return err
	}
	arithmetic, err := o.Arithmetic.Of(list[index])
	if err != nil {
		return err
	}
	l := &list[index].Limits
	d.limits = gpu.Limits{
		BufferBytes: l.StorageBufferRange, PartBytes: min(l.StorageBufferRange, l.AllocationBytes),
		AllocationBytes: l.AllocationBytes, WorkGroups: l.WorkGroups, Arithmetic: arithmetic,
	}
	d.limits.MemoryBytes, d.limits.Shared = list[index].Memory()
	d.cache = openCache(o.Cache, d.device)
	d.ops, err = gpu.New("vulkan", d, o.GPU)
	return err
}

// Delegate runs partitions on the device. The name is the backend's.
func (d *Device) Delegate(name string) backend.Delegate { return d.ops.Delegate(name) }

// Kernels are the device's kernels of all ops, on tensors in host memory.
func (d *Device) Kernels() []kernel.Kernel { return d.ops.Kernels() }

// Physical describes the device.
func (d *Device) Physical() *vk.Physical { return d.device.Physical }

// Messages are the validation layer's so far, if it was asked for.
func (d *Device) Messages() []string { return d.instance.Messages() }

// Close ends the device; nothing of it may be running or be run again. A device
// that does not answer is left as it is.
func (d *Device) Close() {
	d.running.Lock()
	defer d.running.Unlock()
	if d.device != nil && d.device.Broken() == nil {
		d.building.Lock()
		defer d.building.Unlock()
		d.cache.close()
	}
	if d.device == nil || d.device.Close() {
		d.instance.Close()
	}
}

// TuningName implements gpu.Tuned. What is quick on a processor that plays a GPU
// says nothing.
func (d *Device) TuningName() string {
	p := d.device.Physical
	if p.Kind == "cpu" {
		return ""
	}
	return "vulkan " + p.Name + " " + p.Driver
}

// Limits implements gpu.Device.
func (d *Device) Limits() gpu.Limits { return d.limits }

// Allocate implements gpu.Device.
func (d *Device) Allocate(bytes int64, use gpu.Use) (gpu.Buffer, error) {
	b, err := d.device.NewBuffer(bytes, map[gpu.Use]vk.Use{gpu.Local: vk.UseDevice, gpu.Input: vk.UseInput, gpu.Output: vk.UseOutput}[use], d.staged)
	if err != nil {
		return nil, inGPU(err)
	}
	return b, nil
}

// Upload implements gpu.Device.
func (d *Device) Upload(to gpu.Span, data []byte) error {
	b := to.Buffer.(*vk.Buffer)
	if b.Bytes != nil {
		copy(b.Bytes[to.Offset:to.Offset+to.Size], data)
		return nil
	}
	return inGPU(d.stage(func(s *staging) error { return s.upload(d, b, to.Offset, data) }))
}

// fewBytes are read in place however slowly, rather than by a submission.
const fewBytes = 4 << 10

// Download implements gpu.Device.
func (d *Device) Download(data []byte, from gpu.Span) error {
	b := from.Buffer.(*vk.Buffer)
	if b.Bytes != nil && (b.Cached || len(data) <= fewBytes) {
		copy(data, b.Bytes[from.Offset:from.Offset+from.Size])
		return nil
	}
	return inGPU(d.stage(func(s *staging) error { return s.download(d, b, from.Offset, data[:min(int64(len(data)), from.Size)]) }))
}

// Ops are the device's ops, for what measures them.
func (d *Device) Ops() *gpu.Ops { return d.ops }
