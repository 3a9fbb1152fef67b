package main

import (
	"errors"
	"fmt"

	"zeroth/internal/bytesize"
	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl"
	"zeroth/kernels/opencl/cl"
)

// openclDevices lists what OpenCL lists: nothing where there is no OpenCL.
func openclDevices(arithmetic opencl.Arithmetic) []device {
	found, err := cl.Devices()
	if errors.Is(err, cl.ErrUnavailable) {
		return nil
	}
	if err != nil {
		return undescribed(openclName, err)
	}
	var list []device
	for i, p := range found {
		list = append(list, describeOpenCL(i, p, arithmetic.Of(p)))
	}
	return list
}

// describeOpenCL tells of the i-th device.
func describeOpenCL(i int, p *cl.Physical, products gpu.Arithmetic) device {
	l, f := p.Limits, p.Features
	d := device{
		Kind: openclName, Name: p.Name, System: systemName(), Memory: p.Memory,
		accelerator: &accelerator{
			Type: p.Kind, API: p.Version, Driver: p.Platform + ", " + p.Driver, Can: f, Limits: l, Unusable: p.Unusable, known: true,
			memory: []string{bytesize.Format(p.Memory)},
			abilities: inWords(
				ability{f.FP16, "f16 arithmetic"}, ability{f.IntegerDot, "integer dot product"}, ability{f.Subgroups, "subgroup sums"},
			),
			limits: fmt.Sprintf("%s a buffer, %s shared, %d invocations a work group",
				bytesize.Format(l.AllocationBytes), bytesize.Format(l.SharedBytes), l.WorkGroupInvocations),
		},
	}
	if p.Unusable == "" {
		d.Products, d.Store16 = describeProducts(products), products.Store16
		d.Backend = fmt.Sprintf("%s:%d", openclName, i)
	}
	return d
}
