package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

func TestDelegatePassesTheSuite(t *testing.T) {
	p := open(t, build(t, example(t, "plain"), []string{"-O2", "-Wextra", "-lm"}), Options{})
	if p.HasKernels() || !p.HasDelegate() || p.Kernels() != nil {
		t.Errorf("levels %q", p.Levels())
	}
	report := examine(t, p.DelegateKernels(), conformance.Options{Workers: []int{1}})
	if len(report.Results) < 1000 {
		t.Errorf("only %d cases, %d passed over", len(report.Results), report.Untaken)
	}
	for _, r := range report.Failed() {
		t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
	}
	if _, err := Open(p.Path(), Options{Settings: []Setting{{"speed", "1"}}}); !errors.Is(err, ErrUnusable) {
		t.Errorf("an option that it has not: %v", err)
	}
}

// The suite finds the faults of a delegate, too.
func TestSuiteFindsDelegateFaults(t *testing.T) {
	path := sloppy(t, "DELEGATE")
	for fault, says := range map[string]string{
		"":           "",
		"session":    "sloppy: session_open: failed: no queue",
		"decline":    "sloppy: partition_compile: out of memory: the device is full",
		"compile":    "sloppy: partition_compile: fatal: the compiler is gone",
		"execute":    "sloppy: executable_run: failed: the queue is stuck",
		"fetch":      "sloppy: executable_fetch: failed: the bus is down",
		"nothing":    "sloppy: executable_fetch left element 0 of output 0 unwritten",
		"less":       "of output 0 unwritten",
		"more":       "wrote outside of output 0",
		"node_query": "",
	} {
		t.Run(fault, func(t *testing.T) {
			var log []string
			p := open(t, path, Options{Settings: []Setting{{"fault", fault}}, Log: lines(&log)})
			report := examine(t, p.DelegateKernels(), conformance.Options{Op: "add", Workers: []int{1}})
			if fault == "node_query" {
				if len(report.Results) != 0 || !contains(log, "sloppy: node_query: failed: cannot say") {
					t.Errorf("%d cases run; it says %q", len(report.Results), log)
				}
				return
			}
			var messages []string
			for _, r := range report.Failed() {
				messages = append(messages, r.Message)
			}
			if len(report.Results) == 0 || (says == "") != (len(messages) == 0) || !contains(messages, says) {
				t.Errorf("of %d cases these failed, want %q: %q", len(report.Results), says, messages)
			}
		})
	}
}

// addPartition is y = (a + b) + b over N tokens of 3 channels.
func addPartition() *backend.Partition {
	spec, _ := op.Lookup(op.Add)
	t := op.Type{DType: op.F32, Shape: []op.Dim{op.S(op.Tokens, 0), op.C(3)}}
	value := func(name string, kind program.ValueKind) backend.Value {
		v := backend.Value{Name: name, Kind: kind, Tensor: &kernel.Tensor{Type: t, Width: 1, Shape: []int{2, 3}}}
		if name != "sum" {
			v.Tensor.Data = make([]byte, 24)
		}
		return v
	}
	return &backend.Partition{
		Method: "m",
		Nodes: []backend.Node{
			{Name: "first", Spec: spec, In: []int{0, 1}, Out: []int{2}},
			{Name: "second", Spec: spec, In: []int{2, 1}, Out: []int{3}},
		},
		Values: []backend.Value{value("a", program.Input), value("b", program.Input), value("sum", program.Temp), value("y", program.Temp)},
		Inputs: []int{0, 1}, Outputs: []int{3},
	}
}

func TestDelegateSession(t *testing.T) {
	var log []string
	p := open(t, sloppy(t, "DELEGATE"), Options{Settings: []Setting{{"fault", "lifetimes"}}, Log: lines(&log)})
	d := p.Delegate()
	if d.Name() != "sloppy" {
		t.Errorf("name %q", d.Name())
	}
	partition := addPartition()
	for i := range partition.Nodes {
		if err := d.Supports(&partition.Nodes[i], partition.Values); err != nil {
			t.Errorf("node %d: %v", i, err)
		}
	}
	relu, _ := op.Lookup(op.Relu)
	if err := d.Supports(&backend.Node{Spec: relu, In: []int{0}, Out: []int{3}}, partition.Values); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "only Add") {
		t.Errorf("Relu: %v", err)
	}
	s, err := d.Open(backend.SessionInfo{Bounds: op.Extents{Width: 1, N: 2}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Compile(t.Context(), partition)
	if err != nil {
		t.Fatal(err)
	}
	copy(partition.Values[0].Tensor.F32(), []float32{1, 2, 3, 4, 5, 6})
	copy(partition.Values[1].Tensor.F32(), []float32{10, 20, 30, 40, 50, 60})
	for _, n := range []int{2, 1} {
		for i := range partition.Values {
			partition.Values[i].Tensor.Shape[0] = n
		}
		y := partition.Values[3].Tensor.F32()
		clear(y)
		if err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := e.Fetch(0); err != nil {
			t.Fatal(err)
		}
		if y[2] != 63 || (y[5] != 0) != (n == 2) {
			t.Errorf("%d tokens: %v", n, y)
		}
	}
	if up, down := s.Moved(); up != 2*24+2*12 || down != 24+12 {
		t.Errorf("moved %d up, %d down", up, down)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Run(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run: %v", err)
	}
	if err := s.WriteSlot(0, nil); !errors.Is(err, ErrCall) {
		t.Errorf("a slot that is none: %v", err)
	}
	s.Close()
	s.Close()
	if len(log) != 1 || log[0] != "sloppy: closed" {
		t.Errorf("it says %q, want that it was closed once, without executables", log)
	}
}

func TestDelegateDeclines(t *testing.T) {
	for fault, declines := range map[string]bool{"decline": true, "compile": false} {
		p := open(t, sloppy(t, "DELEGATE"), Options{Settings: []Setting{{"fault", fault}}})
		s, err := p.Delegate().Open(backend.SessionInfo{Bounds: op.Extents{Width: 1, N: 2}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Compile(t.Context(), addPartition()); err == nil || errors.Is(err, backend.ErrDeclined) != declines {
			t.Errorf("%s: %v", fault, err)
		}
		s.Close()
	}
}
