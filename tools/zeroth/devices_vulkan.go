package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"zeroth/kernels/vulkan/vk"
)

// vulkanDevice is what is told of a device that Vulkan lists.
type vulkanDevice struct {
	Type   string      `json:"type"`   // discrete, integrated, virtual, cpu or other
	API    string      `json:"api"`    // the version of Vulkan that it supports
	Driver string      `json:"driver"` // name and version
	Heaps  []vk.Heap   `json:"heaps"`
	Can    vk.Features `json:"can"`
	Limits vk.Limits   `json:"limits"`
	// Unusable says why no program can run there; empty where one can.
	Unusable string `json:"unusable"`
}

// vulkanDevices lists what Vulkan lists: nothing where there is no Vulkan.
func vulkanDevices() []device {
	instance, err := vk.Open(vk.Options{})
	if errors.Is(err, vk.ErrUnavailable) {
		return nil
	}
	if err != nil {
		return []device{{Kind: "vulkan", Name: "unknown", System: systemName(), vulkanDevice: &vulkanDevice{Unusable: err.Error()}}}
	}
	defer instance.Close()
	var list []device
	for i, p := range instance.Devices() {
		list = append(list, describeVulkan(i, p))
	}
	return list
}

// describeVulkan tells of the i-th device.
func describeVulkan(i int, p *vk.Physical) device {
	d := device{
		Kind: "vulkan", Name: p.Name, System: systemName(),
		vulkanDevice: &vulkanDevice{
			Type: p.Kind, API: p.API, Driver: p.Driver, Heaps: p.Heaps, Can: p.Features, Limits: p.Limits, Unusable: p.Unusable,
		},
	}
	if p.Unusable == "" {
		d.Backend = fmt.Sprintf("%s:%d", vulkanName, i)
	}
	for _, h := range p.Heaps {
		if h.DeviceLocal {
			d.Memory += h.Bytes
		}
	}
	return d
}

func (v *vulkanDevice) printVulkan(row func(name, format string, values ...any)) {
	if v.Unusable != "" {
		row("unusable", "%s", v.Unusable)
	}
	if v.API == "" {
		return
	}
	row("type", "%s", v.Type)
	row("vulkan", "%s", v.API)
	row("driver", "%s", v.Driver)
	for _, h := range v.Heaps {
		var where []string
		if h.DeviceLocal {
			where = append(where, "on the device")
		}
		if h.HostVisible {
			where = append(where, "seen by the host")
		}
		row("memory", "%s %s", formatBytes(h.Bytes), strings.Join(where, ", "))
	}
	row("can", "%s", cmp.Or(strings.Join(features(v.Can), ", "), "f32 and 32-bit integers alone"))
	row("limits", "%s a buffer, %s shared, %d invocations a work group, subgroups of %d",
		formatBytes(v.Limits.StorageBufferRange), formatBytes(int64(v.Limits.SharedBytes)), v.Limits.WorkGroupInvocations, v.Limits.SubgroupSize)
}

// features are a device's abilities in words.
func features(f vk.Features) []string {
	var list []string
	for _, ability := range []struct {
		has  bool
		what string
	}{
		{f.FP16Storage, "f16 storage"},
		{f.FP16Arithmetic, "f16 arithmetic"},
		{f.Int8Storage, "int8 storage"},
		{f.Int8Arithmetic, "int8 arithmetic"},
		{f.IntegerDot, "integer dot product"},
		{f.SubgroupArithmetic, "subgroup sums"},
		{f.CooperativeMatrix, "cooperative matrix"},
	} {
		if ability.has {
			list = append(list, ability.what)
		}
	}
	return list
}
