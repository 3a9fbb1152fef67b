package vulkan

import (
	"errors"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// open opens the first usable device, with validation where its layer is
// installed, or skips. The test fails if a message came.
func open(t *testing.T) *Device {
	t.Helper()
	o := Options{Validate: true}
	d, err := Open(o)
	if errors.Is(err, vk.ErrUnavailable) {
		o.Validate = false
		d, err = Open(o)
	}
	if errors.Is(err, vk.ErrUnavailable) || errors.Is(err, ErrDevice) || errors.Is(err, vk.ErrUnusable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		for _, m := range d.Messages() {
			t.Error(m)
		}
	})
	return d
}

// examine runs a part of the suite, of the ops whose name contains a text.
func examine(t *testing.T, d *Device, ops string, part, parts int) conformance.Report {
	t.Helper()
	registry, err := kernel.NewRegistry(d.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Run(t.Context(), registry, conformance.Options{Op: ops, Workers: []int{1}, Part: part, Parts: parts})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A sample of the suite: llvmpipe takes minutes for the whole, which is what
// `zeroth conformance --backend vulkan` runs.
func TestConformance(t *testing.T) {
	const parts = 13
	seen := make(map[string]bool)
	for _, r := range examine(t, open(t), "", 5, parts).Results {
		seen[r.Op] = true
		if !r.Pass {
			t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
		}
	}
	for _, s := range op.All() {
		if !seen[s.Name] {
			t.Errorf("no case of %s", s.Name)
		}
	}
}

// With a low limit on what a shader can address, weights are split by rows.
func TestSplitWeights(t *testing.T) {
	d := open(t)
	d.limit = 3000
	for o, parts := range map[string]int{"gather": 31, "linear": 31, "crossentropy": 31, "perturb": 5, "update": 11} {
		passed := 0
		for _, r := range examine(t, d, o, 3, parts).Results {
			switch {
			case r.Pass:
				passed++
			case r.Op == "LinearLoRA" && strings.Contains(r.Message, ErrTooLarge.Error()): // B may not be split
			default:
				t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
			}
		}
		if passed < 2 {
			t.Errorf("%s: %d cases passed", o, passed)
		}
	}
	for _, c := range []struct {
		t     op.Type
		parts int
	}{
		{op.Type{DType: op.F32, Shape: []op.Dim{op.C(100), op.C(10)}}, 2},
		{op.Type{DType: op.F32, Layout: op.Panels16, Shape: []op.Dim{op.C(100), op.C(10)}}, 2},
		{op.Type{DType: op.F32, Layout: op.Panels16, Shape: []op.Dim{op.C(75), op.C(10)}}, 2},
		{op.Type{DType: op.Q4, Layout: op.Panels16, Shape: []op.Dim{op.C(1000), op.C(33)}}, 13},
		{op.Type{DType: op.F32, Shape: []op.Dim{op.C(33), op.C(1000)}}, 3},
		{op.Type{DType: op.F32, Shape: []op.Dim{op.C(75), op.C(10)}}, 1},
	} {
		bytes, err := c.t.Bytes(op.Extents{})
		if err != nil {
			t.Fatal(err)
		}
		tensor := &kernel.Tensor{Type: c.t, Width: 1, Shape: []int{c.t.Shape[0].Offset, c.t.Shape[1].Offset}, Data: make([]byte, bytes)}
		m := newMirror(tensor, d.limit)
		if len(m.parts) != c.parts {
			t.Errorf("%s is in %d parts, want %d", c.t, len(m.parts), c.parts)
		}
		checkPieces(t, &m)
	}
}

// checkPieces sees that the parts hold each byte of the tensor once.
func checkPieces(t *testing.T, m *mirror) {
	t.Helper()
	covered := make([]int, len(m.tensor.Data))
	for i := range m.parts {
		for _, p := range m.pieces(i) {
			if p.at < 0 || p.at+p.bytes > m.sizes[i] {
				t.Errorf("%s: part %d: piece %+v of %d bytes", m.tensor.Type, i, p, m.sizes[i])
			}
			for b := p.from; b < p.from+p.bytes; b++ {
				covered[b]++
			}
		}
	}
	for b, n := range covered {
		if n != 1 {
			t.Fatalf("%s: byte %d is in %d pieces", m.tensor.Type, b, n)
		}
	}
}

// The validation layer is at work: it finds a barrier that is missing.
func TestValidationSeesHazards(t *testing.T) {
	d, err := Open(Options{Validate: true})
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	buffer, err := d.device.NewBuffer(4096)
	if err != nil {
		t.Fatal(err)
	}
	pipeline, err := d.pipeline(shaderElementwise, functionRelu)
	if err != nil {
		t.Fatal(err)
	}
	span := func(offset int64) vk.Span { return vk.Span{Buffer: buffer, Offset: offset, Size: 1024} }
	sets, err := d.device.NewSets([]vk.Binding{
		{Pipeline: pipeline, Spans: []vk.Span{span(0), span(0), span(1024)}},
		{Pipeline: pipeline, Spans: []vk.Span{span(1024), span(1024), span(2048)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	push := []uint32{256, 256, 256}
	for _, barrier := range []bool{true, false} {
		if err := d.commands.Begin(); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			if err := d.commands.Dispatch(sets, i, push, 1); err != nil {
				t.Fatal(err)
			}
			if barrier {
				d.commands.Barrier()
			}
		}
		if err := d.commands.End(); err != nil {
			t.Fatal(err)
		}
		found := len(d.Messages()) > 0
		if found == barrier {
			t.Errorf("with a barrier: %v; messages: %q", barrier, d.Messages())
		}
	}
	if err := d.commands.Dispatch(sets, 0, push[:1], 1); !errors.Is(err, vk.ErrUnusable) {
		t.Errorf("too few push constants: %v", err)
	}
}

func TestNoSuchDevice(t *testing.T) {
	open(t)
	for _, index := range []int{-1, 1000} {
		if _, err := Open(Options{Index: index}); !errors.Is(err, ErrDevice) {
			t.Errorf("device %d: %v", index, err)
		}
	}
}

// A device that does not answer in time is given up, with an error, at once and
// for all later runs.
func TestTimeout(t *testing.T) {
	d := open(t)
	d.timeout = 1 // nanosecond
	x := make([]byte, 4<<20)
	shape := []op.Dim{op.S(op.Tokens, 0), op.C(1024)}
	tensor := func() *kernel.Tensor {
		return &kernel.Tensor{Type: op.Type{DType: op.F32, Shape: shape}, Width: 1, Shape: []int{1024, 1024}, Data: x}
	}
	spec, _ := op.Lookup(op.Relu)
	runner, err := d.bindHost(&kernel.Call{Spec: spec, In: []*kernel.Tensor{tensor()}, Out: []*kernel.Tensor{tensor()}}, buildElementwise(functionRelu))
	if err != nil {
		t.Fatal(err)
	}
	for range 50 { // the machine may be so busy that the work is done before the wait
		if err = runner.Run(); err != nil {
			break
		}
	}
	if again := runner.Run(); !errors.Is(err, vk.ErrTimeout) || !errors.Is(again, vk.ErrTimeout) {
		t.Errorf("%v, then %v", err, again)
	}
}
