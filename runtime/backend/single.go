package backend

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// Kernels makes kernels of a delegate, for the conformance suite and for op by op
// comparison: each call is a partition of one node in a session of its own, whose
// tensors cross at every run.
func Kernels(d Delegate, suffix string, cost int) []kernel.Kernel {
	var list []kernel.Kernel
	for _, spec := range op.All() {
		list = append(list, kernel.Kernel{
			Op: spec.ID, Name: strings.ToLower(spec.Name) + "_" + suffix, Cost: cost,
			Bind: func(c *kernel.Call) (kernel.Runner, error) { return bindSingle(d, c) },
		})
	}
	return list
}

// single is a partition of one node. Weights that can change between runs are
// slots of it, codes are constants, all else is input.
type single struct {
	session    Session
	executable Executable
	slots      []slot
	outputs    int
}

type slot struct {
	tensor  *kernel.Tensor
	mutable bool
}

func bindSingle(d Delegate, c *kernel.Call) (kernel.Runner, error) {
	s := &single{outputs: len(c.Out)}
	p, info := s.partition(c)
	if err := d.Supports(&p.Nodes[0], p.Values); err != nil {
		return nil, err
	}
	var err error
	if s.session, err = d.Open(info); err != nil {
		return nil, err
	}
	if s.executable, err = s.session.Compile(context.Background(), p); err != nil {
		s.session.Close()
		return nil, err
	}
	runtime.AddCleanup(s, Session.Close, s.session)
	return s, nil
}

// partition describes the call as a partition of a session.
func (s *single) partition(c *kernel.Call) (*Partition, SessionInfo) {
	info := SessionInfo{Bounds: op.Extents{Width: 1}}
	p := &Partition{Method: c.Spec.Name}
	node := Node{Name: c.Spec.Name, Spec: c.Spec, Attrs: c.Attrs}
	for i, t := range c.In {
		v := Value{Name: c.Spec.Inputs[i].Name, Kind: program.Input, Tensor: t}
		mutable := c.Spec.Inputs[i].Mutable
		switch {
		case t.Type.DType.Coded():
			v.Kind, v.Ref = program.ConstRef, i
		case mutable || t.Type.Layout == op.Panels16:
			v.Kind, v.Ref = program.SlotRef, len(s.slots)
			info.Slots = append(info.Slots, program.Slot{Name: v.Name, Type: t.Type})
			s.slots = append(s.slots, slot{t, mutable})
			p.Mutates = p.Mutates || mutable
		default:
			p.Inputs = append(p.Inputs, i)
		}
		p.Values, node.In = append(p.Values, v), append(node.In, i)
		widen(&info.Bounds, t)
	}
	for i, t := range c.Out {
		at := len(p.Values)
		p.Values = append(p.Values, Value{Name: fmt.Sprintf("output %d", i), Kind: program.Temp, Tensor: t})
		p.Outputs, node.Out = append(p.Outputs, at), append(node.Out, at)
		widen(&info.Bounds, t)
	}
	p.Nodes = []Node{node}
	return p, info
}

// widen makes the bounds those that a tensor has been made for.
func widen(e *op.Extents, t *kernel.Tensor) {
	e.Width = max(e.Width, t.Width)
	for i, d := range t.Type.Shape {
		n := t.Shape[i] - d.Offset
		switch d.Sym {
		case op.Tokens:
			e.N = max(e.N, n)
		case op.Sequences:
			e.S = max(e.S, n)
		case op.LossRows:
			e.R = max(e.R, n)
		case op.Choices:
			e.K = max(e.K, n)
		case op.Examples:
			e.G = max(e.G, n)
		case op.Queries:
			e.Q = max(e.Q, n)
		}
	}
}

// Run sends what the node reads, computes, and takes what it wrote.
func (s *single) Run() error {
	for i := range s.slots {
		if err := s.session.WriteSlot(i, s.slots[i].tensor.Data); err != nil {
			return err
		}
	}
	if err := s.executable.Run(context.Background()); err != nil {
		return err
	}
	for i := range s.outputs {
		if err := s.executable.Fetch(i); err != nil {
			return err
		}
	}
	for i := range s.slots {
		if !s.slots[i].mutable {
			continue
		}
		if err := s.session.ReadSlot(i, s.slots[i].tensor.Data); err != nil {
			return err
		}
	}
	return nil
}
