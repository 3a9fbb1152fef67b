package main

import (
	"fmt"
	"os"

	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl"
	"zeroth/runtime/backend"
)

// openclName is the backend of the first device of OpenCL; the others have a
// colon and their number behind it.
const openclName = "opencl"

// openOpenCL opens a device, which stays open until the process ends.
func openOpenCL(name string, index int) (backend.Backend, error) {
	tune, err := tuning()
	if err != nil {
		return backend.Backend{}, err
	}
	arithmetic, err := openclArithmetic()
	if err != nil {
		return backend.Backend{}, err
	}
	d, err := opencl.Open(opencl.Options{Index: index, Arithmetic: arithmetic, GPU: gpu.Options{Tune: tune}})
	if err != nil {
		return backend.Backend{}, withHint(fmt.Errorf("backend %s: %w", name, err), "zeroth devices lists what programs can run on")
	}
	p := d.Physical()
	return backend.Backend{
		Name: name, About: aboutDevice(p.Name, p.Platform, d.Limits().Arithmetic), Kernels: d.Kernels(), Delegate: d.Delegate(name),
	}, nil
}

// openclArithmetic reads ZEROTH_OPENCL.
func openclArithmetic() (opencl.Arithmetic, error) {
	a, err := opencl.ParseArithmetic(os.Getenv(opencl.ArithmeticVariable))
	if err != nil {
		return a, usagef("%s: %w", opencl.ArithmeticVariable, err)
	}
	return a, nil
}
