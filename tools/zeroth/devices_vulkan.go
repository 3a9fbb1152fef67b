package main

import (
	"errors"
	"fmt"
	"strings"

	"zeroth/kernels/vulkan/vk"
)

// vulkanDevices lists what Vulkan lists: nothing where there is no Vulkan.
func vulkanDevices() []device {
	instance, err := vk.Open(vk.Options{})
	if errors.Is(err, vk.ErrUnavailable) {
		return nil
	}
	if err != nil {
		return undescribed(vulkanName, err)
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
	l, f := p.Limits, p.Features
	d := device{
		Kind: vulkanName, Name: p.Name, System: systemName(),
		accelerator: &accelerator{
			Type: p.Kind, API: p.API, Driver: p.Driver, Heaps: p.Heaps, Can: f, Limits: l, Unusable: p.Unusable, known: p.API != "",
			abilities: inWords(
				ability{f.FP16Storage, "f16 storage"}, ability{f.FP16Arithmetic, "f16 arithmetic"},
				ability{f.Int8Storage, "int8 storage"}, ability{f.Int8Arithmetic, "int8 arithmetic"},
				ability{f.IntegerDot, "integer dot product"}, ability{f.SubgroupArithmetic, "subgroup sums"},
				ability{f.CooperativeMatrix, "cooperative matrix"},
			),
			limits: fmt.Sprintf("%s a buffer, %s shared, %d invocations a work group, subgroups of %d",
				formatBytes(l.StorageBufferRange), formatBytes(int64(l.SharedBytes)), l.WorkGroupInvocations, l.SubgroupSize),
		},
	}
	if p.Unusable == "" {
		d.Backend = fmt.Sprintf("%s:%d", vulkanName, i)
	}
	for _, h := range p.Heaps {
		where := inWords(ability{h.DeviceLocal, "on the device"}, ability{h.HostVisible, "seen by the host"})
		d.memory = append(d.memory, strings.TrimSpace(formatBytes(h.Bytes)+" "+where))
		if h.DeviceLocal {
			d.Memory += h.Bytes
		}
	}
	return d
}
