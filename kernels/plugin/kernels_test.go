package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

func open(t *testing.T, path string, o Options) *Plugin {
	t.Helper()
	p, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// examine runs the suite on kernels, in parts of the table.
func examine(t *testing.T, kernels []kernel.Kernel, o conformance.Options) conformance.Report {
	t.Helper()
	registry, err := kernel.NewRegistry(kernels)
	if err != nil {
		t.Fatal(err)
	}
	o.Taken = true
	report, err := conformance.Run(context.Background(), registry, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestKernelsPassTheSuite(t *testing.T) {
	p := open(t, sloppy(t), Options{})
	report := examine(t, p.Kernels(), conformance.Options{Allocations: testing.AllocsPerRun})
	if len(report.Results) < 20 || report.Untaken < 100 {
		t.Errorf("%d cases run, %d passed over", len(report.Results), report.Untaken)
	}
	for _, r := range report.Failed() {
		t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
	}
}

func TestOpenBLASPassesTheSuite(t *testing.T) {
	path := openBLAS(t)
	for _, settings := range [][]Setting{nil, {{"threads", "2"}}} {
		p := open(t, path, Options{Settings: settings})
		report := examine(t, p.Kernels(), conformance.Options{})
		if len(report.Results) < 50 {
			t.Errorf("only %d cases of Linear", len(report.Results))
		}
		for _, r := range report.Failed() {
			t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
		}
	}
	for _, bad := range []Setting{{"threads", ""}, {"threads", "0"}, {"threads", "1x"}, {"threads", "999999999999"}, {"speed", "1"}} {
		if _, err := Open(path, Options{Settings: []Setting{bad}}); !errors.Is(err, ErrUnusable) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// The suite finds each way in which a kernel can break the contract, and names
// the plug-in or the place.
func TestSuiteFindsFaults(t *testing.T) {
	path := sloppy(t)
	for fault, says := range map[string]string{
		"run":          "sloppy: kernel_run: failed: the unit is busy",
		"fatal":        "sloppy: kernel_run: fatal: the device is lost",
		"status":       "sloppy: kernel_run: status 99, which is none",
		"bind":         "sloppy: kernel_bind: out of memory: no memory",
		"last":         "was not written",
		"beyond":       "wrote outside of output 0",
		"before":       "wrote outside of output 0",
		"input":        "input 0 (a) was changed",
		"scratch":      "wrote outside of the scratch",
		"wrong":        "",
		"huge scratch": "",
	} {
		t.Run(fault, func(t *testing.T) {
			var log []string
			p := open(t, path, Options{Settings: []Setting{{"fault", fault}}, Log: lines(&log)})
			report := examine(t, p.Kernels(), conformance.Options{Op: "add", Workers: []int{1}})
			if fault == "huge scratch" {
				if len(report.Results) != 0 || !contains(log, "wants 9223372036854775807 bytes of scratch") {
					t.Errorf("%d cases run; it says %q", len(report.Results), log)
				}
				return
			}
			failed := report.Failed()
			if len(failed) == 0 {
				t.Fatal("nothing failed")
			}
			for _, r := range failed {
				if strings.Contains(r.Message, says) {
					return
				}
			}
			t.Errorf("no message says %q: %+v", says, failed)
		})
	}
}

// others are kernels for what a plug-in leaves or fails at: they count.
func others(t *testing.T, runs *int) []kernel.Kernel {
	t.Helper()
	return []kernel.Kernel{{
		Op: op.Relu, Name: "relu_other", Cost: 10,
		Scratch: func(*kernel.Call) int { return 128 },
		Bind: func(c *kernel.Call) (kernel.Runner, error) {
			return other(func() error { *runs++; copy(c.Out[0].F32(), c.In[0].F32()); return nil }), nil
		},
	}}
}

type other func() error

func (o other) Run() error { return o() }

// reluCall is y = relu(x) for 5 elements at the given scratch.
func reluCall(k *kernel.Kernel) *kernel.Call {
	spec, _ := op.Lookup(op.Relu)
	t := op.Type{DType: op.F32, Shape: []op.Dim{op.S(op.Tokens, 0), op.C(5)}}
	tensor := func() *kernel.Tensor {
		return &kernel.Tensor{Type: t, Width: 1, Shape: []int{1, 5}, Data: make([]byte, 20)}
	}
	c := &kernel.Call{Spec: spec, In: []*kernel.Tensor{tensor()}, Out: []*kernel.Tensor{tensor()}}
	copy(c.In[0].F32(), []float32{-1, 2, -3, 4, -5})
	c.Scratch = make([]byte, k.Scratch(c))
	return c
}

// A failing kernel is done without, which is said once; a fatal failure ends the
// run.
func TestPreferred(t *testing.T) {
	path := sloppy(t)
	for _, c := range []struct {
		fault string
		own   bool // its result is used
		fatal bool // the run fails
		said  string
	}{
		{"", true, false, ""},
		{"relu", false, false, "sloppy: kernel_run: failed: the unit is busy; Relu is left to relu_other from now on"},
		{"bind", false, false, "kernel_bind: out of memory: no memory; Relu is left to relu_other"},
		{"last", false, false, "the plug-in failed: sloppy: Relu left element 4 of output 0 unwritten; Relu is left to relu_other from now on"},
		{"input", false, true, ""},
		{"fatal", false, true, ""},
		{"status", false, true, ""},
	} {
		t.Run(c.fault, func(t *testing.T) {
			var log []string
			p := open(t, path, Options{Settings: []Setting{{"fault", c.fault}}, Log: lines(&log)})
			runs := 0
			list, err := p.Preferred(others(t, &runs))
			if err != nil {
				t.Fatal(err)
			}
			registry, err := kernel.NewRegistry(list, others(t, &runs))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // two calls of the op
				types := []op.Type{reluCall(&others(t, &runs)[0]).In[0].Type}
				k, err := registry.Pick(op.Relu, types, nil)
				if err != nil {
					t.Fatal(err)
				}
				call := reluCall(k)
				if len(call.Scratch) < 128 {
					t.Errorf("%d bytes of scratch: the other kernel wants 128", len(call.Scratch))
				}
				runner, err := k.Bind(call)
				if err != nil {
					t.Fatal(err)
				}
				for run := range 2 {
					if run > 0 && c.fatal {
						break // nothing goes on after it
					}
					err := runner.Run()
					if c.fatal != errors.Is(err, ErrFatal) || !c.fatal && err != nil {
						t.Fatalf("%v", err)
					}
				}
				if y := call.Out[0].F32()[0]; c.own && y != 0 || !c.own && !c.fatal && y != -1 {
					t.Errorf("y[0] is %g", y)
				}
			}
			if c.said == "" && len(log) > 0 || c.said != "" && (len(log) != 1 || !strings.Contains(log[0], c.said)) {
				t.Errorf("it says %q, want %q once", log, c.said)
			}
			if want := map[bool]int{false: 4, true: 0}[c.own || c.fatal]; runs != want {
				t.Errorf("the other kernel ran %d times, want %d", runs, want)
			}
		})
	}
}

func TestLog(t *testing.T) {
	var log []string
	p := open(t, sloppy(t), Options{Settings: []Setting{{"fault", "log"}}, Log: lines(&log)})
	relu := p.Kernels()[op.Relu-1]
	reluCall(&relu)
	if len(log) != 2 || log[0] != "sloppy: warning: a[0m line" || log[1] != "sloppy: error: two lines" {
		t.Errorf("%q", log)
	}
	log = nil
	p = open(t, p.Path(), Options{Settings: []Setting{{"fault", "query"}}, Log: lines(&log)})
	if relu := p.Kernels()[op.Relu-1]; relu.Supports([]op.Type{reluCall(&relu).In[0].Type}, nil) {
		t.Error("a query that fails takes the node")
	}
	if !contains(log, "sloppy: kernel_query: failed: cannot say") {
		t.Errorf("%q", log)
	}
}

// A weight that is not constant is read at each run: training all weights puts a
// perturbed one into the product.
func TestOpenBLASReadsChangingWeights(t *testing.T) {
	p := open(t, openBLAS(t), Options{})
	linear := p.Kernels()[op.Linear-1]
	const N, K, M = 3, 5, 17
	for _, layout := range []op.Layout{op.Rows, op.Panels16} {
		spec, _ := op.Lookup(op.Linear)
		types := []op.Type{
			{DType: op.F32, Shape: []op.Dim{op.S(op.Tokens, 0), op.C(K)}},
			{DType: op.F32, Layout: layout, Shape: []op.Dim{op.C(M), op.C(K)}},
			{DType: op.F32, Shape: []op.Dim{op.S(op.Tokens, 0), op.C(M)}},
		}
		var tensors []*kernel.Tensor
		for _, kind := range types {
			size, err := kind.Bytes(op.Extents{Width: 1, N: N})
			if err != nil {
				t.Fatal(err)
			}
			tensors = append(tensors, &kernel.Tensor{Type: kind, Width: 1, Data: make([]byte, size)})
		}
		x, w, y := tensors[0], tensors[1], tensors[2]
		x.Shape, w.Shape, y.Shape = []int{N, K}, []int{M, K}, []int{N, M}
		call := &kernel.Call{Spec: spec, In: []*kernel.Tensor{x, w}, Out: []*kernel.Tensor{y}}
		call.Scratch = make([]byte, linear.Scratch(call))
		runner, err := linear.Bind(call)
		if err != nil {
			t.Fatal(err)
		}
		for run := range 3 {
			at := func(m, k int) *float32 {
				if layout == op.Panels16 {
					return &w.F32()[(m/16*K+k)*16+m%16]
				}
				return &w.F32()[m*K+k]
			}
			for i := range N * K {
				x.F32()[i] = float32(i%7 - 3)
			}
			for m := range M {
				for k := range K {
					*at(m, k) = float32((m*K+k+run)%11 - 5)
				}
			}
			if err := runner.Run(); err != nil {
				t.Fatal(err)
			}
			for n := range N {
				for m := range M {
					want := float32(0)
					for k := range K {
						want += x.F32()[n*K+k] * *at(m, k)
					}
					if got := y.F32()[n*M+m]; got != want {
						t.Fatalf("%s, run %d: y[%d, %d] is %g, want %g", layout, run, n, m, got, want)
					}
				}
			}
		}
	}
}
