package vk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// open opens Vulkan with validation where the layer is installed, or skips.
// The test fails if a message came.
func open(t *testing.T) *Instance {
	t.Helper()
	i, err := Open(Options{Validate: true})
	if errors.Is(err, ErrUnavailable) {
		i, err = Open(Options{})
	}
	if errors.Is(err, ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		i.Close()
		for _, m := range i.Messages() {
			t.Error(m)
		}
	})
	return i
}

// device opens the first usable device, or skips.
func device(t *testing.T) *Device {
	t.Helper()
	i := open(t)
	for _, p := range i.Devices() {
		if p.Unusable == "" {
			d, err := i.NewDevice(p)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			return d
		}
	}
	t.Skip("no usable device")
	return nil
}

func TestDevicesAreDescribed(t *testing.T) {
	for _, p := range open(t).Devices() {
		t.Logf("%+v", *p)
		if p.Name == "" || p.Kind == "" || p.Driver == "" || len(p.Heaps) == 0 || !strings.HasPrefix(p.API, "1.") {
			t.Errorf("incomplete: %+v", *p)
		}
		if l := p.Limits; p.Unusable == "" && (l.StorageBufferRange < 1<<27 || l.AllocationBytes < 1<<27 || l.Allocations < 1 ||
			l.SubgroupSize < 1 || l.SubgroupSize > 256 || l.OffsetAlignment < 1 || l.OffsetAlignment > 256) {
			t.Errorf("limits of %s: %+v", p.Name, l)
		}
	}
}

// A description that falls short of a limit says which.
func TestUnusable(t *testing.T) {
	full := Limits{StorageBufferRange: 1 << 27, SharedBytes: 16 << 10, WorkGroupInvocations: 128, WorkGroups: 65535, UniformRange: 16384, StorageBuffers: LeastBindings}
	p := &Physical{Limits: full}
	if why := p.lacks(); !strings.Contains(why, "memory that the host can map") {
		t.Errorf("without memory: %q", why)
	}
	p.memory.memoryTypeCount = 1
	p.memory.memoryTypes[0].propertyFlags = memoryHostVisible | memoryHostCoherent
	if why := p.lacks(); why != "" {
		t.Errorf("nothing is missing: %q", why)
	}
	p.Limits.StorageBuffers = 4 // what the specification promises
	if why := p.lacks(); why != "it allows 4 storage buffers of a shader, 6 are needed" {
		t.Errorf("%q", why)
	}
	p.Limits.StorageBuffers = LeastBindings
	p.Limits.SharedBytes = 8192
	if why := p.lacks(); why != "it allows 8192 bytes of shared memory, 16384 are needed" {
		t.Errorf("%q", why)
	}
	p.Name, p.Unusable = "a card", p.lacks()
	if _, err := (&Instance{}).NewDevice(p); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "a card: it allows") {
		t.Errorf("%v", err)
	}
}

// What a driver says of its lists is not believed beyond reason.
func TestLists(t *testing.T) {
	for _, count := range []uint32{maxListed + 1, 1<<32 - 1} {
		_, err := list("vkSomething", func(n *uint32, _ *uint64) Result {
			*n = count
			return success
		})
		if !errors.Is(err, ErrUnusable) {
			t.Errorf("%d elements: %v", count, err)
		}
	}
	got, err := list("vkSomething", func(n *uint32, first *uint64) Result {
		if first != nil {
			*first = 7
			*n = 100 // more than there was room for
			return success
		}
		*n = 1
		return success
	})
	if err != nil || len(got) != 2 || got[0] != 7 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestResults(t *testing.T) {
	for r, m := range meanings {
		if m.kind != nil && !errors.Is(check(r, "vkSomething"), m.kind) || !strings.Contains(r.Error(), m.name) {
			t.Errorf("%s: %v", m.name, check(r, "vkSomething"))
		}
		if other := ErrUnusable; m.kind != other && errors.Is(r, other) {
			t.Errorf("%s is %v", m.name, other)
		}
	}
	if err := check(-77, "vkSomething"); err == nil || !strings.Contains(err.Error(), "vkSomething: VkResult -77") {
		t.Errorf("%v", err)
	}
	if err := check(success, "vkSomething"); err != nil {
		t.Error(err)
	}
}

func TestBuffers(t *testing.T) {
	d := device(t)
	b, err := d.NewBuffer(1000, UseOutput, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Bytes) != 1000 {
		t.Errorf("%d bytes", len(b.Bytes))
	}
	for i := range b.Bytes {
		b.Bytes[i] = byte(i)
	}
	b.Free()
	b.Free()
	for _, size := range []int64{0, -1, 1 << 62} {
		if _, err := d.NewBuffer(size, UseDevice, false); !errors.Is(err, ErrMemory) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestWrongShader(t *testing.T) {
	d := device(t)
	for _, info := range []PipelineInfo{
		{Bindings: 1}, {Code: make([]byte, 6), Bindings: 1}, {Code: make([]byte, 8)}, {Code: make([]byte, 8), Bindings: 1, ParameterBytes: 1 << 30},
	} {
		if _, err := d.NewPipeline(info); !errors.Is(err, ErrUnusable) {
			t.Errorf("%+v: %v", info, err)
		}
	}
	if _, err := d.NewSets(nil); !errors.Is(err, ErrUnusable) {
		t.Errorf("no descriptors: %v", err)
	}
}

// After a device was lost, nothing is run; after one fell silent, nothing that
// it may use is freed either.
func TestBrokenDevice(t *testing.T) {
	d := device(t)
	c, err := d.NewCommands()
	if err != nil {
		t.Fatal(err)
	}
	freed := 0
	for _, r := range []Result{errorDeviceLost, timeout} {
		broken := d.failed(fmt.Errorf("in a test: %w", r))
		for _, err := range []error{c.Begin(), c.Submit(), d.Broken()} {
			if !errors.Is(err, r) || !errors.Is(err, broken) {
				t.Errorf("%s: %v", r, err)
			}
		}
		o := &Buffer{device: d}
		d.owner.Keep(o, func() { freed++ })
		o.Free()
	}
	if freed != 1 {
		t.Errorf("%d buffers freed, want that of the lost device alone", freed)
	}
	if d.Close() {
		t.Error("a device that does not answer was closed")
	}
	d.owner.Break(nil, false) // so that this one is
}

// What a driver calls itself and its device is shown in one line, and moves no
// cursor.
func TestNamesAreShown(t *testing.T) {
	properties, driver, p := new(physicalDeviceProperties), new(physicalDeviceDriverProperties), new(Physical)
	copy(properties.deviceName[:], "a \x1b[2Jcard\n")
	copy(driver.driverName[:], "a driver\x07")
	for i := range driver.driverInfo { // without a zero
		driver.driverInfo[i] = '\r'
	}
	driver.driverInfo[0] = '7'
	if p.readIdentity(properties); p.Name != "a ?[2Jcard" {
		t.Errorf("%q", p.Name)
	}
	if got := driver.text(); got != "a driver? 7" {
		t.Errorf("%q", got)
	}
}

// A shader has full subgroups of the usual size where it may demand them, or where
// there is no other size, as with NVK.
func TestSized(t *testing.T) {
	for _, c := range []struct {
		least, most, stages, count uint32
		sized, one                 bool
	}{
		{8, 32, shaderStageCompute, 64, true, false},
		{8, 32, 0, 64, false, false},
		{8, 32, shaderStageCompute, 2, false, false},
		{64, 128, shaderStageCompute, 64, false, false},
		{32, 32, 0, 64, true, true},
		{32, 32, shaderStageCompute, 64, true, true},
	} {
		p := &Physical{sized: true, Limits: Limits{SubgroupSize: 32}}
		p.readSizes(&physicalDeviceSubgroupSizeControlProperties{
			minSubgroupSize: c.least, maxSubgroupSize: c.most, requiredSubgroupSizeStages: c.stages, maxComputeWorkgroupSubgroups: c.count,
		})
		if p.Sized() != c.sized || p.oneSize != c.one {
			t.Errorf("%+v: sized %v, one size %v", c, p.Sized(), p.oneSize)
		}
	}
}
