package main

import (
	"encoding/json"
	"strings"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

func TestDescribeVulkan(t *testing.T) {
	card := &vk.Physical{
		Name: "a card", Kind: "discrete", API: "1.3.2", Driver: "maker 1.0",
		Heaps:    []vk.Heap{{Bytes: 8 << 30, DeviceLocal: true}, {Bytes: 16 << 30, HostVisible: true}},
		Features: vk.Features{FP16Storage: true, CooperativeMatrix: true},
		Limits:   vk.Limits{StorageBufferRange: 128 << 20, SharedBytes: 32 << 10, WorkGroupInvocations: 1024, SubgroupSize: 32},
	}
	old := &vk.Physical{Name: "an old card", API: "1.0.3", Unusable: "its driver supports Vulkan 1.0.3, at least 1.1 is needed"}
	var b strings.Builder
	for i, p := range []*vk.Physical{card, old} {
		if err := describeVulkan(i, p, gpu.Arithmetic{}).print(&b); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"vulkan  a card\n  backend  vulkan:0\n", "type     discrete\n", "memory   8 GiB on the device\n", "memory   16 GiB seen by the host\n",
		"can      f16 storage, cooperative matrix\n", "limits   128 MiB a buffer, 32 KiB shared, 1024 invocations a work group, subgroups of 32\n",
		"vulkan  an old card\n  backend   none\n", "unusable  its driver supports Vulkan 1.0.3", "can       f32 and 32-bit integers alone\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := describeVulkan(0, card, gpu.Arithmetic{Store16: true}).print(&b); err != nil || !strings.Contains(b.String(), "stored   activations as f16\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
	b.Reset()
	products := gpu.Arithmetic{Dot: true, Half: gpu.Matrix{M: 16, N: 16, K: 16, Subgroup: 32}}
	if err := describeVulkan(0, card, products).print(&b); err != nil || !strings.Contains(b.String(), "products  i8, q4 and nf4 by matrices of f16, 16×16×16; all others by f32\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
	text, err := json.Marshal(describeVulkan(0, card, gpu.Arithmetic{}))
	if err != nil || !strings.Contains(string(text), `"cooperative_matrix":true`) || strings.Contains(string(text), "clusters") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestDescribeProducts(t *testing.T) {
	matrix := gpu.Matrix{M: 8, N: 16, K: 32, Subgroup: 32}
	for want, a := range map[string]gpu.Arithmetic{
		"": {},
		"i8, q4 and nf4 by dot products of bytes":                                             {Dot: true},
		"i8 by matrices of bytes, 8×16×32, q4 and nf4 by dot products of bytes":               {Dot: true, Bytes: matrix},
		"i8 by matrices of bytes, 8×16×32, f32, bf16, q4 and nf4 by matrices of f16, 8×16×32": {Dot: true, Bytes: matrix, Half: matrix, RoundFloats: true},
	} {
		if got := describeProducts(a); got != want {
			t.Errorf("%+v: %q, want %q", a, got, want)
		}
	}
}

func TestDeviceIndex(t *testing.T) {
	for name, want := range map[string]int{"vulkan": 0, "vulkan:0": 0, "vulkan:12": 12} {
		if got, ok := deviceIndex(vulkanName, name); !ok || got != want {
			t.Errorf("%q: %d, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "cpu", "vulkan:", "vulkan:-1", "vulkan:+1", "vulkan:x", "vulkan:99999999999", "vulkan0", "Vulkan", "opencl:0"} {
		if got, ok := deviceIndex(vulkanName, name); ok {
			t.Errorf("%q is device %d", name, got)
		}
	}
}
