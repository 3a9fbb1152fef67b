package main

import (
	"encoding/json"
	"strings"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
)

func TestDescribeOpenCL(t *testing.T) {
	card := &cl.Physical{
		Name: "a card", Kind: "gpu", Platform: "a driver OpenCL 3.0", Version: "OpenCL 2.0 x", Driver: "7.1", Memory: 8 << 30,
		Features: cl.Features{FP16: true, Subgroups: true},
		Limits:   cl.Limits{AllocationBytes: 2 << 30, SharedBytes: 32 << 10, WorkGroupInvocations: 1024},
	}
	old := &cl.Physical{Name: "an old card", Version: "OpenCL 1.1", Unusable: "at least OpenCL 1.2 is needed"}
	var b strings.Builder
	for i, p := range []*cl.Physical{card, old} {
		if err := describeOpenCL(i, p, gpu.Arithmetic{}).print(&b); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"opencl  a card\n  backend  opencl:0\n", "type     gpu\n", "opencl   OpenCL 2.0 x\n", "driver   a driver OpenCL 3.0, 7.1\n",
		"memory   8 GiB\n", "can      f16 arithmetic, subgroup sums\n",
		"limits   2 GiB a buffer, 32 KiB shared, 1024 invocations a work group\n",
		"opencl  an old card\n  backend   none\n", "unusable  at least OpenCL 1.2", "can       f32 and 32-bit integers alone\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if got := describeOpenCL(0, card, gpu.Arithmetic{Dot: true}).Products; !strings.HasPrefix(got, "i8, q4 and nf4 by dot products of bytes") {
		t.Errorf("products by %q", got)
	}
	b.Reset()
	if err := describeOpenCL(0, card, gpu.Arithmetic{Store16: true}).print(&b); err != nil || !strings.Contains(b.String(), "stored   activations as f16\n") {
		t.Errorf("%v in\n%s", err, b.String())
	}
	text, err := json.Marshal(describeOpenCL(0, card, gpu.Arithmetic{}))
	if err != nil || !strings.Contains(string(text), `"allocation_bytes":2147483648`) || !strings.Contains(string(text), `"subgroups":true`) ||
		strings.Contains(string(text), "heaps") {
		t.Errorf("%s, %v", text, err)
	}
}
