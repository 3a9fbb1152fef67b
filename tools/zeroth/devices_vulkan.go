package main

import (
	"errors"
	"fmt"
	"strings"

	"zeroth/internal/bytesize"
	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan"
	"zeroth/kernels/vulkan/vk"
)

// vulkanDevices lists what Vulkan lists: nothing where there is no Vulkan.
func vulkanDevices(arithmetic vulkan.Arithmetic) []device {
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
		a, err := arithmetic.Of(p)
		if err != nil && p.Unusable == "" {
			p.Unusable = err.Error()
		}
		list = append(list, describeVulkan(i, p, a))
	}
	return list
}

// describeVulkan tells of the i-th device.
func describeVulkan(i int, p *vk.Physical, products gpu.Arithmetic) device {
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
				bytesize.Format(l.StorageBufferRange), bytesize.Format(l.SharedBytes), l.WorkGroupInvocations, l.SubgroupSize),
		},
	}
	if p.Unusable == "" {
		d.Products, d.Store16 = describeProducts(products), products.Store16
		d.Backend = fmt.Sprintf("%s:%d", vulkanName, i)
	}
	for _, h := range p.Heaps {
		where := inWords(ability{h.DeviceLocal, "on the device"}, ability{h.HostVisible, "seen by the host"})
		d.memory = append(d.memory, strings.TrimSpace(bytesize.Format(h.Bytes)+" "+where))
		if h.DeviceLocal {
			d.Memory += h.Bytes
		}
	}
	return d
}

// describeProducts says what products are computed with, by the type of the weights.
func describeProducts(a gpu.Arithmetic) string {
	bytes, half := a.Bytes != gpu.Matrix{}, a.Half != gpu.Matrix{}
	size := func(m gpu.Matrix) string { return fmt.Sprintf("%d×%d×%d", m.M, m.N, m.K) }
	coded := "i8, q4 and nf4"
	if bytes {
		coded = "q4 and nf4"
	}
	return inWords(
		ability{bytes, "i8 by matrices of bytes, " + size(a.Bytes)},
		ability{half && a.RoundFloats, "f32, bf16, " + coded + " by matrices of f16, " + size(a.Half)},
		ability{half && !a.RoundFloats, coded + " by matrices of f16, " + size(a.Half)},
		ability{a.Dot && !half, coded + " by dot products of bytes"},
	)
}
