package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
	"zeroth/kernels/plugin"
	"zeroth/kernels/vulkan"
	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/backend"
)

// vulkanName is the backend of the first device of Vulkan; the others have a
// colon and their number behind it.
const vulkanName = "vulkan"

// deviceIndex reads the number of a device of a kind, vulkan or opencl, from the
// name of a backend.
func deviceIndex(kind, name string) (int, bool) {
	if name == kind {
		return 0, true
	}
	digits, found := strings.CutPrefix(name, kind+":")
	index, err := strconv.ParseUint(digits, 10, 16)
	return int(index), found && err == nil
}

// openVulkan opens a device, which stays open until the process ends.
func openVulkan(name string, index int) (backend.Backend, error) {
	tune, err := tuning()
	if err != nil {
		return backend.Backend{}, err
	}
	arithmetic, err := vulkanArithmetic()
	if err != nil {
		return backend.Backend{}, err
	}
	d, err := vulkan.Open(vulkan.Options{Index: index, Arithmetic: arithmetic, GPU: gpu.Options{Tune: tune}})
	if err != nil {
		return backend.Backend{}, withHint(fmt.Errorf("backend %s: %w", name, err), "zeroth devices lists what programs can run on")
	}
	p := d.Physical()
	return backend.Backend{
		Name: name, About: aboutDevice(p.Name, p.Driver, d.Limits().Arithmetic), Kernels: d.Kernels(), Delegate: d.Delegate(name),
	}, nil
}

// aboutDevice is Backend.About of a device.
func aboutDevice(name, driver string, a gpu.Arithmetic) string {
	about := name + ", " + driver
	if a.Store16 {
		about += "; activations are stored as f16"
	}
	return about
}

// vulkanArithmetic reads ZEROTH_VULKAN.
func vulkanArithmetic() (vulkan.Arithmetic, error) {
	a, err := vulkan.ParseArithmetic(os.Getenv(vulkan.ArithmeticVariable))
	if err != nil {
		return a, usagef("%s: %w", vulkan.ArithmeticVariable, err)
	}
	return a, nil
}

// deviceFailed reports whether a device stopped working, or has no memory left, or
// a plug-in failed that lets others go on.
func deviceFailed(err error) bool {
	if errors.Is(err, plugin.ErrFatal) {
		return false
	}
	return slices.ContainsFunc([]error{vk.ErrLost, vk.ErrTimeout, vk.ErrMemory, cl.ErrLost, cl.ErrTimeout, cl.ErrMemory, plugin.ErrCall},
		func(kind error) bool { return errors.Is(err, kind) })
}

// tuning reads ZEROTH_TUNE: with 0 tiles are not tried, and the cache is not read.
func tuning() (bool, error) {
	switch value := os.Getenv("ZEROTH_TUNE"); value {
	case "", "1":
		return true, nil
	case "0":
		return false, nil
	default:
		return false, usagef("ZEROTH_TUNE=%q: must be 0 or 1", value)
	}
}
