package compare

import (
	"context"
	"fmt"

	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// Engine makes sessions of the methods named on a backend, and of a program of one
// node. With keep all values can be read after a run (executor.Options).
type Engine func(p *program.Program, bounds op.Extents, keep bool, methods ...string) (*executor.Session, error)

// Work is one run of a method, the same on every backend.
type Work struct {
	Program *program.Program
	Method  string
	Extents op.Extents // of the run
	Methods []string   // that Run needs beside Method
	// Pairs says that copies 2i and 2i + 1 are perturbed to either side of the
	// same place.
	Pairs bool
	// Half gives the operands of an op that one of the backends keeps as f16
	// (kernel.Kernel.Half); nil where none does.
	Half func(id op.ID) kernel.Operands
	// Run fills the slots and the inputs of a session and runs the method.
	Run func(ctx context.Context, s *executor.Session) error
}

// method is the method's definition.
func (w *Work) method() (*program.Method, error) {
	if m := w.Program.Method(w.Method); m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("%w: %q", executor.ErrNoMethod, w.Method)
}

// trace is a run of which every value can still be read.
type trace struct {
	session *executor.Session
	values  []*kernel.Tensor // by value; nil for constants and slots
}

// newTrace runs the work on a backend.
func newTrace(ctx context.Context, w *Work, e Engine) (*trace, error) {
	s, err := e(w.Program, w.Extents, true, append([]string{w.Method}, w.Methods...)...)
	if err != nil {
		return nil, err
	}
	t := &trace{session: s}
	m, err := s.Method(w.Method)
	if err == nil {
		err = w.Run(ctx, s)
	}
	if err == nil {
		t.values, err = valuesOf(m)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return t, nil
}

// valuesOf reads all inputs and temporaries of a method.
func valuesOf(m *executor.Method) ([]*kernel.Tensor, error) {
	def := m.Def()
	values := make([]*kernel.Tensor, len(def.Values))
	for i := range def.Values {
		if kind := def.Values[i].Kind; kind != program.Input && kind != program.Temp {
			continue
		}
		var err error
		if values[i], err = m.Value(i); err != nil {
			return nil, err
		}
	}
	return values, nil
}
