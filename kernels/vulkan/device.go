package vulkan

import (
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/noise"
)

var (
	// ErrDevice is wrapped when there is no such device.
	ErrDevice = errors.New("no such vulkan device")
	// ErrTooLarge is wrapped when a tensor does not fit what a shader can
	// address, or an op what its shader is written for.
	ErrTooLarge = errors.New("too large for the device")
)

// Options say which device is opened, and how.
type Options struct {
	Index    int           // of the device, in the order that Vulkan lists them
	Validate bool          // see vk.Options
	Timeout  time.Duration // for one op; 0 means defaultTimeout
}

// defaultTimeout is beyond what any op takes, on a slow device too.
const defaultTimeout = 5 * time.Minute

// Device is an opened device with its pipelines. Its ops run one at a time.
type Device struct {
	instance *vk.Instance
	device   *vk.Device
	commands *vk.Commands
	table    *vk.Buffer // noise.QuantileTable; stands in for buffers that a pipeline does not use, too
	timeout  time.Duration
	limit    int64 // bytes that a shader can address in one buffer

	running   sync.Mutex // held while an op runs
	pipelines map[pipelineKey]*vk.Pipeline
	building  sync.Mutex // guards pipelines
}

// Open opens a device.
func Open(o Options) (*Device, error) {
	instance, err := vk.Open(vk.Options{Validate: o.Validate})
	if err != nil {
		return nil, err
	}
	d := &Device{instance: instance, timeout: o.Timeout, pipelines: make(map[pipelineKey]*vk.Pipeline)}
	if d.timeout <= 0 {
		d.timeout = defaultTimeout
	}
	if err := d.start(o.Index); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Device) start(index int) error {
	list := d.instance.Devices()
	if index < 0 || index >= len(list) {
		return fmt.Errorf("%w: number %d; Vulkan lists %d, from 0", ErrDevice, index, len(list))
	}
	var err error
	if d.device, err = d.instance.NewDevice(list[index]); err != nil {
		return err
	}
	d.limit = list[index].Limits.StorageBufferRange
	if d.commands, err = d.device.NewCommands(); err != nil {
		return err
	}
	table := noise.QuantileTable()
	if d.table, err = d.device.NewBuffer(int64(4 * len(table))); err != nil {
		return err
	}
	copy(unsafe.Slice((*int32)(unsafe.Pointer(&d.table.Bytes[0])), len(table)), table)
	return nil
}

// Physical describes the device.
func (d *Device) Physical() *vk.Physical { return d.device.Physical }

// Messages are the validation layer's so far, if it was asked for.
func (d *Device) Messages() []string { return d.instance.Messages() }

// Close ends the device; nothing of it may be running or be run again. A device
// that does not answer is left as it is.
func (d *Device) Close() {
	d.running.Lock()
	defer d.running.Unlock()
	if d.device == nil || d.device.Close() {
		d.instance.Close()
	}
}

// tableSpan is the quantile table as a buffer.
func (d *Device) tableSpan() vk.Span {
	return vk.Span{Buffer: d.table, Size: int64(len(d.table.Bytes))}
}

// groups is the number of work groups for that many items: one each, or as many
// as the device takes at once, each of which then takes several.
func (d *Device) groups(items int) int { return min(items, d.device.Physical.Limits.WorkGroups) }

// invocations is the number of work groups for that many invocations.
func (d *Device) invocations(n int) int { return d.groups((n + threads - 1) / threads) }

// threads is the number of invocations of a work group in every shader.
const threads = 128
