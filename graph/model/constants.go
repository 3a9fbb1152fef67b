package model

import (
	"fmt"
	"io"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// constants are the module's constants by name, so that a weight used twice is
// one constant. They are read when the program is written, one at a time and
// each in blocks.
type constants struct {
	weights Weights
	types   Options // what is asked of the weight matrices' types
	module  *graph.Module
	byName  map[string]*graph.Constant
	stream  stream
}

// matrix is the matrix [rows, columns] of a linear layer.
func (s *constants) matrix(name string, rows, columns int) *graph.Constant {
	return s.typed(name, rows, columns, s.types.weightType(name, false), true)
}

// outer is the matrix [V, C] of the embedding or the head, in panels for a matrix
// product or row-major for a lookup; packed types are for panels alone.
func (s *constants) outer(name string, rows, columns int, panels bool) *graph.Constant {
	d := s.types.weightType(name, true)
	return s.typed(name, rows, columns, d, panels || d.Packed())
}

func (s *constants) typed(name string, rows, columns int, d op.DType, panels bool) *graph.Constant {
	t := op.Type{DType: d, Shape: []op.Dim{op.C(rows), op.C(columns)}}
	if panels {
		t.Layout = op.Panels16
	}
	return s.constant(name, t, s.stored(name))
}

// vector is a norm's scale or a bias [n].
func (s *constants) vector(name string, n int) *graph.Value {
	return s.constant(name, op.Type{DType: op.F32, Shape: []op.Dim{op.C(n)}}, s.stored(name)).Value()
}

// table is a computed matrix [rows, columns].
func (s *constants) table(name string, rows, columns int, read readRows) *graph.Constant {
	return s.constant(name, op.Type{DType: op.F32, Shape: []op.Dim{op.C(rows), op.C(columns)}}, read)
}

// stored reads a weight of the checkpoint.
func (s *constants) stored(name string) readRows {
	return func(first int, dst []float32) error { return s.weights.ReadRows(name, first, dst) }
}

func (s *constants) constant(name string, t op.Type, read readRows) *graph.Constant {
	if c := s.byName[name]; c != nil {
		return c
	}
	c := &graph.Constant{Name: name, Type: t, Write: func(w io.Writer) error {
		lost, err := s.stream.write(w, t, read)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrModel, name, err)
		}
		if t.DType.Packed() && s.types.Quantised != nil {
			s.types.Quantised(name, t, lost)
		}
		return nil
	}}
	s.byName[name] = c
	s.module.Constants = append(s.module.Constants, c)
	return c
}
