package conformance

import (
	"errors"
	"fmt"

	"zeroth/kernels/ref"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// node is a case on guarded memory, bound to one kernel and one pool.
type node struct {
	c       *Case
	call    *kernel.Call
	in, out []*storage
	scratch *storage
	runner  kernel.Runner
	inPlace bool   // output 0 lies over input 0
	half    uint32 // inputs whose values are rounded to f16
}

// newNode makes the tensors at the case's bounds, fills the constants and
// binds the kernel.
func newNode(c *Case, k *kernel.Kernel, pool *platform.Pool, inPlace bool) (*node, error) {
	spec, ok := op.Lookup(c.Op)
	if !ok {
		return nil, fmt.Errorf("%s is not in the op table", c.Op)
	}
	outTypes, err := spec.Infer(c.Types(), c.Attrs)
	if err != nil {
		return nil, err
	}
	n := &node{c: c, inPlace: inPlace, call: &kernel.Call{Spec: spec, Attrs: c.Attrs, Pool: pool}}
	for i, t := range c.In {
		if t.Constant && (!t.Type.Constant() || t.Type.Wide) {
			return nil, fmt.Errorf("input %d: %s cannot be a constant", i, t.Type)
		}
		if err := n.add(&n.call.In, &n.in, t.Type); err != nil {
			return nil, err
		}
		n.call.In[i].Constant = t.Constant
	}
	for _, t := range outTypes {
		if err := n.add(&n.call.Out, &n.out, t); err != nil {
			return nil, err
		}
	}
	if inPlace {
		n.out[0], n.call.Out[0].Data = n.in[0], n.in[0].data
	}
	if err := n.setExtents(c.Bounds, -1); err != nil {
		return nil, err
	}
	err = protect(func() (err error) {
		if k.Scratch != nil {
			n.scratch = newStorage(k.Scratch(n.call))
			n.scratch.save() // for its guards; it is poisoned in the same way before each run
			n.call.Scratch = n.scratch.data
		}
		n.runner, err = k.Bind(n.call)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("binding: %w", err)
	}
	return n, nil
}

func (n *node) add(tensors *[]*kernel.Tensor, stores *[]*storage, t op.Type) error {
	size, err := t.Bytes(n.c.Bounds)
	if err != nil {
		return err
	}
	s := newStorage(size)
	*stores = append(*stores, s)
	*tensors = append(*tensors, &kernel.Tensor{Type: t, Shape: make([]int, len(t.Shape)), Data: s.data})
	return nil
}

// setExtents gives the tensors the extents of a round and fills the inputs: the
// constants in round −1, all others in the rounds from 0.
func (n *node) setExtents(e op.Extents, round int) error {
	for _, t := range append(append([]*kernel.Tensor(nil), n.call.In...), n.call.Out...) {
		t.Width = 1
		if t.Type.Wide {
			t.Width = e.Width
		}
		for i, d := range t.Type.Shape {
			t.Shape[i] = e.Of(d)
		}
	}
	for i := range n.c.In {
		if n.c.In[i].Constant != (round < 0) {
			continue
		}
		n.in[i].poison()
		if err := n.c.Fill(n.call.In, i, round); err != nil {
			return fmt.Errorf("input %d of the case: %w", i, err)
		}
		if t := n.call.In[i]; kernel.KeepsHalf(n.half, i, t.Type) {
			roundAll(t)
		}
	}
	return nil
}

// run fills the inputs for a round, runs the kernel once and checks what it did
// to the memory. It returns the elements of each result: the outputs, then the
// inputs that the op updates.
func (n *node) run(e op.Extents, round int) ([][]float32, error) {
	if err := n.setExtents(e, round); err != nil {
		return nil, err
	}
	for i, s := range n.out {
		if !n.inPlace || i > 0 {
			s.poison()
		}
	}
	for _, s := range append(append([]*storage(nil), n.in...), n.out...) {
		s.save()
	}
	if n.scratch != nil {
		n.scratch.poison()
	}
	if err := protect(n.runner.Run); err != nil {
		return nil, err
	}
	if err := n.checkMemory(e); err != nil {
		return nil, err
	}
	return n.results(e)
}

// checkMemory finds writes where none may be and outputs that were not written.
func (n *node) checkMemory(e op.Extents) error {
	for i, s := range n.in {
		size, mayChange := 0, n.call.Spec.Inputs[i].Mutable || n.inPlace && i == 0
		if mayChange {
			var err error
			if size, err = n.call.In[i].Type.Bytes(e); err != nil {
				return err
			}
		}
		at, changed := s.changed(size)
		if !changed {
			continue
		}
		if at >= 0 && at < len(s.data) && !mayChange {
			return fmt.Errorf("input %d (%s) was changed at byte %d", i, n.call.Spec.Inputs[i].Name, at)
		}
		return fmt.Errorf("wrote outside of input %d (%s): byte %d of %d", i, n.call.Spec.Inputs[i].Name, at, len(s.data))
	}
	for i, s := range n.out {
		if n.inPlace && i == 0 {
			continue
		}
		size, err := n.call.Out[i].Type.Bytes(e)
		if err != nil {
			return err
		}
		if at, changed := s.changed(size); changed {
			return fmt.Errorf("wrote outside of output %d: byte %d of %d", i, at, size)
		}
		if element, found := s.unwritten(size); found {
			return fmt.Errorf("element %d of output %d was not written", element, i)
		}
	}
	if n.scratch != nil {
		if at, changed := n.scratch.changed(len(n.scratch.data)); changed {
			return fmt.Errorf("wrote outside of the scratch: byte %d of %d", at, len(n.scratch.data))
		}
	}
	return nil
}

// results copies the elements of the outputs and of the updated inputs.
func (n *node) results(e op.Extents) ([][]float32, error) {
	tensors := append([]*kernel.Tensor(nil), n.call.Out...)
	for i, p := range n.call.Spec.Inputs[:len(n.call.In)] {
		if p.Mutable {
			tensors = append(tensors, n.call.In[i])
		}
	}
	var results [][]float32
	for _, t := range tensors {
		size, err := t.Type.Bytes(e)
		if err != nil {
			return nil, err
		}
		results = append(results, append([]float32(nil), t.F32()[:size/4]...))
	}
	return results, nil
}

// expected computes a case with the plain kernel: the results of each round. Inputs
// of the set half are rounded to f16 before.
func expected(c *Case, pool *platform.Pool, half uint32) ([][][]float32, error) {
	registry, err := kernel.NewRegistry(ref.Kernels())
	if err != nil {
		return nil, err
	}
	k, err := registry.Pick(c.Op, c.Types(), c.Attrs)
	if err != nil {
		return nil, err
	}
	n, err := newNode(c, k, pool, false)
	if err != nil {
		return nil, err
	}
	n.half = half
	var rounds [][][]float32
	for i, e := range c.Rounds() {
		results, err := n.run(e, i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", describe(e), err)
		}
		rounds = append(rounds, results)
	}
	return rounds, nil
}

var errPanic = errors.New("panic")

// protect turns a panic of f into an error.
func protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return f()
}
