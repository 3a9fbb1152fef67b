package main

import (
	"fmt"
	"strconv"
	"strings"

	"zeroth/kernels/vulkan"
	"zeroth/runtime/backend"
)

// vulkanName is the backend of the first device of Vulkan; the others have a
// colon and their number behind it.
const vulkanName = "vulkan"

// vulkanIndex reads the number of a device from the name of a backend.
func vulkanIndex(name string) (int, bool) {
	if name == vulkanName {
		return 0, true
	}
	digits, found := strings.CutPrefix(name, vulkanName+":")
	index, err := strconv.ParseUint(digits, 10, 16)
	return int(index), found && err == nil
}

// openVulkan opens a device, which stays open until the process ends.
func openVulkan(name string, index int) (backend.Backend, error) {
	d, err := vulkan.Open(vulkan.Options{Index: index})
	if err != nil {
		return backend.Backend{}, withHint(fmt.Errorf("backend %s: %w", name, err), "zeroth devices lists what programs can run on")
	}
	p := d.Physical()
	return backend.Backend{
		Name: name, About: fmt.Sprintf("%s, %s", p.Name, p.Driver), Kernels: d.Kernels(), Delegate: d.Delegate(name),
	}, nil
}
