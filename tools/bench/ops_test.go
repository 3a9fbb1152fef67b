package bench

import (
	"context"
	"math"
	"testing"

	"zeroth/kernels/cpu"
	"zeroth/mpzo/train"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

func TestRunOps(t *testing.T) {
	o := StepOptions{
		Program: reviews(t, nil), Bind: binder(t), Examples: Examples(2, 5, 5, 512), Estimator: train.PRGE{}, Queries: 2, Eps: 1e-2,
		Progress: func(done, total int, what string) {},
	}
	r, err := RunOps(context.Background(), o, cpu.Detect())
	if err != nil {
		t.Fatal(err)
	}
	share, nodes := 0.0, 0
	for _, op := range r.Ops {
		share += op.Share
		nodes += op.Nodes
		if op.Kernel == "" || op.Shape == "" || !(op.Seconds > 0 && op.BytesPerS > 0 && op.OfCeiling > 0) {
			t.Errorf("%+v", op)
		}
	}
	if want := len(o.Program.Method("losses").Nodes) + len(o.Program.Method("update").Nodes); nodes != want {
		t.Errorf("%d nodes, the step has %d", nodes, want)
	}
	if math.Abs(share-1) > 1e-9 {
		t.Errorf("shares add up to %g", share)
	}
	if len(r.Ceilings) == 0 || len(r.Copies) == 0 {
		t.Errorf("ceilings %v, copies %v", r.Ceilings, r.Copies)
	}
}

func TestWorkOf(t *testing.T) {
	value := func(wide bool, dims ...op.Dim) program.Value {
		return program.Value{Type: op.Type{DType: op.F32, Wide: wide, Shape: dims}}
	}
	N := op.S(op.Tokens, 0)
	m := &program.Method{Values: []program.Value{
		value(true, N, op.C(8)),        // 0: x
		value(false, op.C(3), op.C(8)), // 1: W
		value(false, op.C(2), op.C(8)), // 2: A
		value(false, op.C(3), op.C(2)), // 3: B
		value(true, N, op.C(3)),        // 4: y
		value(false, N, op.C(8)),       // 5: narrow x
		value(true, N, op.C(8)),        // 6
	}}
	e := op.Extents{Width: 4, N: 5}
	for _, c := range []struct {
		name       string
		node       program.Node
		ops, bytes float64
	}{
		{"Linear", program.Node{Op: op.Linear, In: []int{0, 1}, Out: []int{4}}, 2 * 20 * 24, 4 * (160 + 24 + 60)},
		{"wide LinearLoRA", program.Node{Op: op.LinearLoRA, In: []int{0, 1, 2, 3}, Out: []int{4}}, 2 * (20*(24+16) + 20*3*2), 4 * (160 + 24 + 16 + 6 + 60)},
		{"narrow LinearLoRA", program.Node{Op: op.LinearLoRA, In: []int{5, 1, 2, 3}, Out: []int{4}}, 2 * (5*(24+16) + 20*3*2), 4 * (40 + 24 + 16 + 6 + 60)},
		{"Add", program.Node{Op: op.Add, In: []int{0, 5}, Out: []int{6}}, 0, 4 * (160 + 40 + 160)},
		{"causal attention", program.Node{Op: op.Attention, In: []int{0, 0, 0}, Out: []int{6}, Attrs: op.Attrs{op.BoolAttr("causal", true)}}, 4 * 4 * (3 + 6) * 8, 4 * 640},
		{"attention", program.Node{Op: op.Attention, In: []int{0, 0, 0}, Out: []int{6}}, 4 * 4 * (4 + 9) * 8, 4 * 640},
		{"update", program.Node{Op: op.UpdateLoRA, In: []int{3}}, 0, 2 * 4 * 6},
	} {
		w, err := workOf(m, &c.node, e, []int32{0, 2, 5}, kernel.Operands{})
		if err != nil || math.Abs(w.ops-c.ops) > 0 || math.Abs(w.bytes-c.bytes) > 0 {
			t.Errorf("%s: %g operations and %g bytes, want %g and %g (%v)", c.name, w.ops, w.bytes, c.ops, c.bytes, err)
		}
	}
	// x and y as f16; W, A and B as they are.
	n := program.Node{Op: op.LinearLoRA, In: []int{0, 1, 2, 3}, Out: []int{4}}
	w, err := workOf(m, &n, e, []int32{0, 2, 5}, kernel.Operands{In: 1, Out: 1})
	if want := 2.0*(160+60) + 4*(24+16+6); err != nil || w.bytes != want {
		t.Errorf("with activations as f16: %g bytes, want %g (%v)", w.bytes, want, err)
	}
}
