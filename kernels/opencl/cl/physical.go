package cl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"zeroth/kernels/dl"
)

// Physical is a device as it is listed, before it is opened.
type Physical struct {
	entries  *entries
	handle   uintptr
	platform uintptr

	Name       string // as its driver calls it
	Vendor     string
	Kind       string   // gpu, cpu, accelerator or other
	Platform   string   // the driver's name and version
	Version    string   // of OpenCL that it supports, in the driver's words
	Driver     string   // the driver's own version
	Memory     int64    // bytes of global memory
	Unified    bool     // which is the host's
	Features   Features // what it can do
	Limits     Limits   // how much of it
	Extensions []string // that it has, sorted
	// Unusable says why the device cannot be used; empty where it can.
	Unusable string
}

// Features are abilities that a device may lack.
type Features struct {
	FP16       bool `json:"fp16"`        // f16 in kernels
	IntegerDot bool `json:"integer_dot"` // dot products of four bytes
	// FastIntegerDot says that they are quicker than what they stand for.
	FastIntegerDot bool `json:"fast_integer_dot"`
	Subgroups      bool `json:"subgroups"` // sums across a subgroup
}

// Limits are the device's limits that computing meets.
type Limits struct {
	AllocationBytes      int64 `json:"allocation_bytes"`       // of one buffer
	SharedBytes          int64 `json:"shared_bytes"`           // of a work group
	WorkGroupInvocations int64 `json:"work_group_invocations"` // of a work group
}

// The most platforms, and devices of one, that are looked at: a driver that
// says it has more is not believed.
const maxListed = 64

// Devices lists the devices of all platforms, usable or not, in the order in
// which the drivers have them. Platforms without devices are passed over; one
// that does not tell its devices stands for one that cannot be used.
func Devices() ([]*Physical, error) {
	e, err := load()
	if err != nil {
		return nil, err
	}
	platforms, err := list("clGetPlatformIDs", func(room uint32, first *uintptr, n *uint32) Status {
		return e.GetPlatformIDs.call(uintptr(room), uintptr(unsafe.Pointer(first)), uintptr(unsafe.Pointer(n)))
	})
	if errors.Is(err, platformNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*Physical
	for _, platform := range platforms {
		devices, err := list("clGetDeviceIDs", func(room uint32, first *uintptr, n *uint32) Status {
			return e.GetDeviceIDs.call(platform, typeAll, uintptr(room), uintptr(unsafe.Pointer(first)), uintptr(unsafe.Pointer(n)))
		})
		if errors.Is(err, deviceNotFound) {
			continue
		}
		if err != nil {
			p := &Physical{entries: e, platform: platform, Kind: "other", Unusable: err.Error()}
			p.Platform = p.platformText()
			p.Name = p.Platform
			all = append(all, p)
		}
		for _, device := range devices {
			p := &Physical{entries: e, handle: device, platform: platform}
			p.describe()
			all = append(all, p)
		}
	}
	return all, nil
}

// list reads handles: as many as there are, up to maxListed.
func list(what string, read func(room uint32, first *uintptr, n *uint32) Status) ([]uintptr, error) {
	handles, n := make([]uintptr, maxListed), new(uint32)
	if err := check(read(maxListed, &handles[0], n), what); err != nil {
		return nil, err
	}
	handles = handles[:min(*n, maxListed)]
	return slices.DeleteFunc(handles, func(h uintptr) bool { return h == 0 }), nil
}

// describe asks the device for all that is told of it.
func (p *Physical) describe() {
	p.Name, p.Vendor = p.text(deviceName), p.text(deviceVendor)
	p.Version, p.Driver = p.text(deviceVersion), p.text(driverVersion)
	p.Platform = p.platformText()
	p.Extensions = strings.Fields(readText(p.entries.GetDeviceInfo, p.handle, deviceExtensions, maxExtensions))
	slices.Sort(p.Extensions)
	p.Kind = "other"
	for _, k := range []struct {
		bit  uint64
		name string
	}{{typeGPU, "gpu"}, {typeCPU, "cpu"}, {typeAccelerator, "accelerator"}} {
		if p.number(deviceType)&k.bit != 0 {
			p.Kind = k.name
			break
		}
	}
	p.Memory = bounded(p.number(deviceGlobalMemSize))
	p.Unified = p.Kind == "cpu" || p.number(deviceHostUnifiedMemory) != 0
	p.Features = Features{FP16: p.has("cl_khr_fp16"), IntegerDot: p.has("cl_khr_integer_dot_product"), Subgroups: p.has("cl_khr_subgroups")}
	if p.Features.IntegerDot {
		quick := new([6]uint32) // signed bytes first
		p.ask(deviceIntegerDotPacked, unsafe.Pointer(quick), unsafe.Sizeof(*quick))
		p.Features.FastIntegerDot = quick[0] != 0
	}
	items := new([8]uint64) // a size_t a dimension, of which there are 3
	p.ask(deviceMaxWorkItemSizes, unsafe.Pointer(items), unsafe.Sizeof(*items))
	p.Limits = Limits{
		AllocationBytes: bounded(p.number(deviceMaxMemAllocSize)), SharedBytes: bounded(p.number(deviceLocalMemSize)),
		WorkGroupInvocations: bounded(min(p.number(deviceMaxWorkGroupSize), items[0])),
	}
	p.Unusable = p.lacks()
}

// platformText is the name and the version of the device's driver.
func (p *Physical) platformText() string {
	text := func(what uintptr) string { return readText(p.entries.GetPlatformInfo, p.platform, what, maxText) }
	return strings.TrimSpace(text(platformName) + " " + text(platformVersion))
}

// bounded keeps what a driver says from overflowing sums.
func bounded(n uint64) int64 { return int64(min(n, 1<<56)) }

// version is that of OpenCL, 0 if it cannot be told.
func (p *Physical) version() (major, minor int) {
	if n, _ := fmt.Sscanf(p.Version, "OpenCL %d.%d", &major, &minor); n != 2 {
		return 0, 0
	}
	return major, minor
}

// Major is the first number of the version of OpenCL; of OpenCL C there is a compiler
// for the same.
func (p *Physical) Major() int {
	major, _ := p.version()
	return major
}

func (p *Physical) has(extension string) bool {
	_, found := slices.BinarySearch(p.Extensions, extension)
	return found
}

// ask reads an answer of at most size bytes; what is not answered stays 0.
func (p *Physical) ask(what uintptr, answer unsafe.Pointer, size uintptr) bool {
	return p.entries.GetDeviceInfo.call(p.handle, what, size, uintptr(answer), 0) == success
}

// number reads an integer of up to 64 bits, 0 if there is no answer.
func (p *Physical) number(what uintptr) uint64 {
	n := new(uint64)
	p.ask(what, unsafe.Pointer(n), unsafe.Sizeof(*n))
	return *n
}

// The most bytes that are read of a name, and of a list of extensions.
const (
	maxText       = 256
	maxExtensions = 64 << 10
)

func (p *Physical) text(what uintptr) string {
	return readText(p.entries.GetDeviceInfo, p.handle, what, maxText)
}

// readText reads a string of the driver's. A longer one than most is cut.
func readText(from entry, object, what uintptr, most int) string {
	size := new(uintptr)
	if from.call(object, what, 0, 0, uintptr(unsafe.Pointer(size))) != success || *size == 0 || *size > maxAnswer {
		return ""
	}
	text := make([]byte, *size)
	if from.call(object, what, *size, uintptr(unsafe.Pointer(&text[0])), 0) != success {
		return ""
	}
	return dl.Text(text, most)
}

// maxAnswer bounds what is read at all: OpenCL gives an answer whole or not.
const maxAnswer = 1 << 20

// least are the limits that kernels are written for.
var least = Limits{AllocationBytes: 1 << 20, SharedBytes: 16 << 10, WorkGroupInvocations: 128}

// lacks says what a device has too little of.
func (p *Physical) lacks() string {
	if major, minor := p.version(); major < 1 || major == 1 && minor < 2 {
		return fmt.Sprintf("its driver supports %q, at least OpenCL 1.2 is needed", p.Version)
	}
	for _, c := range []struct {
		what uintptr
		why  string
	}{
		{deviceAvailable, "it is not available now"},
		{deviceCompilerAvailable, "its driver has no compiler"},
		{deviceEndianLittle, "it is big-endian"},
	} {
		if p.number(c.what) == 0 {
			return c.why
		}
	}
	if need := uint64(fpInfNaN | fpRoundToNearest); p.number(deviceSingleFPConfig)&need != need {
		return "its f32 arithmetic does not round to nearest, or has no infinities"
	}
	return p.Limits.lacks()
}

func (l Limits) lacks() string {
	for _, c := range []struct {
		what       string
		have, want int64
	}{
		{"bytes of a buffer", l.AllocationBytes, least.AllocationBytes},
		{"bytes of shared memory", l.SharedBytes, least.SharedBytes},
		{"invocations of a work group", l.WorkGroupInvocations, least.WorkGroupInvocations},
	} {
		if c.have < c.want {
			return fmt.Sprintf("it allows %d %s, %d are needed", c.have, c.what, c.want)
		}
	}
	return ""
}
