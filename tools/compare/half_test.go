package compare

import (
	"context"
	"math"
	"strings"
	"testing"

	"zeroth/internal/half"
	"zeroth/kernels/cpu"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
	"zeroth/tools/bench"
)

// operandsInHalf are the operands of a Llama's ops that devices keep as f16.
func operandsInHalf(id op.ID) kernel.Operands {
	return map[op.ID]kernel.Operands{
		op.Gather: {In: 1, Out: 1}, op.RMSNormalization: {In: 1, Out: 1}, op.LinearLoRA: {In: 1, Out: 1},
		op.RotaryEmbedding: {In: 1, Out: 1}, op.Attention: {In: 7, Out: 1}, op.SwiGLU: {In: 3, Out: 1}, op.Add: {In: 3, Out: 1},
		op.CrossEntropyHead: {In: 1},
	}[id]
}

// storedInHalf are sound kernels whose results are rounded to f16.
func storedInHalf(t *testing.T) []kernel.Kernel {
	t.Helper()
	kernels := cpu.Kernels(cpu.Detect())
	for i := range kernels {
		k := &kernels[i]
		if operandsInHalf(k.Op).Out == 0 {
			continue
		}
		bind := k.Bind
		k.Bind = func(c *kernel.Call) (kernel.Runner, error) {
			r, err := bind(c)
			return spoiled{c, r, after(func(c *kernel.Call) { roundToHalf(results(c)) })}, err
		}
	}
	return kernels
}

// results are all elements of a kernel's result.
func results(c *kernel.Call) []float32 { return c.Out[0].F32()[:c.Out[0].Width*c.Out[0].Elements()] }

// Kernels that keep activations as f16 pass with limits for nodes alone that are no
// wider, and well within those of the run.
func TestSoundKernelsInHalfPass(t *testing.T) {
	for _, weights := range []op.DType{op.F32, op.Q4} {
		w, _ := lossesOf(t, reviews(t, weights))
		w.Half = operandsInHalf
		nodes, err := Walk(context.Background(), w, engine(t, storedInHalf(t)), engine(t, cpu.Kernels(cpu.Detect())), nil)
		if err != nil {
			t.Fatal(err)
		}
		r := Report{Nodes: nodes}
		if v := r.Verdict(); v != "" || !Halves(nodes) {
			t.Errorf("%s weights: %q, f16: %v", weights, v, Halves(nodes))
		}
		if worst := WorstFirst(nodes)[0]; worst.Excess() > 0.5 {
			t.Errorf("%s weights: %s is at %.2g of its limit: %+v", weights, worst, worst.Excess(), worst.Alone)
		}
		for _, n := range nodes {
			if weights == op.F32 && n.Limit != exactly || n.InRun.NMSE > n.RunLimit/5 {
				t.Errorf("%s: limit %g; %g in the run, limit %g", &n, n.Limit, n.InRun.NMSE, n.RunLimit)
			}
		}
	}
}

func TestFindsFaultsInHalf(t *testing.T) {
	const site = 10
	meant := func(_ []op.Type, a op.Attrs) bool { return a.Int("site") == site }
	for _, c := range []struct {
		name  string
		spoil func(c *kernel.Call, run func() error) error
		says  string
	}{
		{"results are cut off, not rounded", after(func(c *kernel.Call) {
			for i, v := range results(c) {
				h := half.FromFloat(v)
				if math.Abs(float64(half.ToFloat(h))) > math.Abs(float64(v)) {
					h--
				}
				results(c)[i] = half.ToFloat(h)
			}
		}), "NMSE "},
		{"a column of an edge panel is a step of bf16 off", after(func(c *kernel.Call) {
			for p := range c.Out[0].Width {
				for n := range c.Out[0].Shape[0] {
					row := rowOf(c, p, n)
					row[len(row)-1] *= 1 + 1.0/256
				}
			}
		}), "of a column is above"},
		{"the last element is lost", after(func(c *kernel.Call) {
			row := rowOf(c, 0, c.Out[0].Shape[0]-1)
			row[len(row)-1] = 0
		}), "furthest is copy 0 row "},
		{"the perturbation is a fifth too small", func(c *kernel.Call, run func() error) error {
			c.In[6].F32()[0] = 0.8 * eps
			err := run()
			c.In[6].F32()[0] = eps
			return err
		}, "NMSE "},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := lossesOf(t, reviews(t, op.F32))
			w.Half = operandsInHalf
			sound := cpu.Kernels(cpu.Detect())
			registry, err := kernel.NewRegistry(sound)
			if err != nil {
				t.Fatal(err)
			}
			node, at := nodeOf(t, w.Program, op.LinearLoRA, meant)
			base, err := registry.Pick(op.LinearLoRA, typesOf(w.Program, node), node.Attrs)
			if err != nil {
				t.Fatal(err)
			}
			bad := wrong(*base, meant, func(call *kernel.Call, run func() error) error {
				err := c.spoil(call, run)
				roundToHalf(results(call))
				return err
			})
			nodes, err := Walk(context.Background(), w, engine(t, storedInHalf(t), []kernel.Kernel{bad}), engine(t, sound), nil)
			if err != nil {
				t.Fatal(err)
			}
			r := Report{Nodes: nodes}
			if faults := Faulty(nodes); len(faults) != 1 || faults[0].Index != at || !strings.Contains(r.Verdict(), c.says) {
				t.Errorf("the fault is in node %d; found %v, verdict %q, want it to say %q", at, faults, r.Verdict(), c.says)
			}
		})
	}
}

// The loss and the gradients of activations in f16 are within limits of their own; a
// fault as large as those without them is still found.
func TestTrainInHalf(t *testing.T) {
	w, b := lossesOf(t, reviews(t, op.F32))
	probe := bench.Probe{Batch: b, Loss: data.TokenLoss, Seed: 3, Directions: 6, Estimator: train.PRGE{}, Queries: copies / 2, Eps: []float64{eps}}
	bind := func(kernels ...[]kernel.Kernel) Bind {
		return func() (*train.Model, error) {
			s, err := engine(t, kernels...)(w.Program, w.Extents, false, "losses", "update")
			if err != nil {
				return nil, err
			}
			m, err := train.NewModel(s)
			if err == nil {
				err = prepare(m)
			}
			return m, err
		}
	}
	sound := cpu.Kernels(cpu.Detect())
	var sum kernel.Kernel
	for _, k := range sound {
		if k.Op == op.WeightedSum {
			sum = k
		}
	}
	spoilt := wrong(sum, func([]op.Type, op.Attrs) bool { return true }, after(func(c *kernel.Call) {
		for p := range c.Out[0].Width {
			c.Out[0].F32()[p] += 5e-2 * float32(p%3)
		}
	}))
	nodes := []Node{{Half: true}}
	for _, c := range []struct {
		wrong []kernel.Kernel
		says  string
	}{{nil, ""}, {[]kernel.Kernel{spoilt}, "have a correlation of "}} {
		got, err := Train(context.Background(), bind(storedInHalf(t), c.wrong), bind(sound), probe, nodes)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.Fault, c.says) || (c.says == "") != (got.Fault == "") || got.LossDifference() == 0 {
			t.Errorf("%q, want it to say %q: %+v", got.Fault, c.says, got)
		}
	}
}

// A value is f16 alone where all operands that it is are.
func TestKeepsHalf(t *testing.T) {
	f32 := op.Type{DType: op.F32, Shape: []op.Dim{op.C(4)}}
	packed := f32
	packed.Layout = op.Panels16
	for _, c := range []struct {
		t        op.Type
		operands []int
		set      uint32
		want     bool
	}{
		{f32, []int{7, 8}, 1, true},
		{f32, []int{8, 7}, 1, false},
		{f32, []int{7, 7}, 3, true},
		{f32, []int{7, 7}, 1, false},
		{packed, []int{7}, 1, false},
		{op.Type{DType: op.I32, Shape: f32.Shape}, []int{7}, 1, false},
	} {
		if got := keepsHalf(c.t, c.operands, 7, c.set); got != c.want {
			t.Errorf("%v in %v of %b: %v", c.t, c.operands, c.set, got)
		}
	}
	var m program.Method
	if n := newAlone(&program.Program{}, &program.Method{
		Values: append(m.Values, program.Value{Kind: program.Input, Type: f32}, program.Value{Kind: program.Temp, Type: f32}),
		Nodes:  []program.Node{{Op: op.Relu, In: []int{0}, Out: []int{1}}},
	}, 0, kernel.Operands{In: 1}); len(n.halves) != 1 || !n.halves[0] {
		t.Errorf("halves %v", n.halves)
	}
}
