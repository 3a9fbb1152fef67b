package model

import (
	"fmt"
	"unsafe"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// constants are the module's constants by name, so that a weight used twice is
// one constant. They are loaded when the program is written, one at a time.
type constants struct {
	weights Weights
	module  *graph.Module
	byName  map[string]*graph.Constant
}

// matrix is a matrix [rows, columns] of the checkpoint, in panels for a matrix
// product or row-major for a lookup.
func (s *constants) matrix(name string, rows, columns int, panels bool) *graph.Constant {
	t := op.Type{DType: op.F32, Shape: []op.Dim{op.C(rows), op.C(columns)}}
	if panels {
		t.Layout = op.Panels16
	}
	return s.constant(name, t, func(dst []float32) error {
		if !panels {
			return s.weights.ReadF32(name, dst)
		}
		flat := make([]float32, rows*columns)
		if err := s.weights.ReadF32(name, flat); err != nil {
			return err
		}
		packPanels(dst, flat, rows, columns)
		return nil
	})
}

// packPanels brings w [M, K], row-major, into the Panels16 layout.
func packPanels(dst, w []float32, m, k int) {
	for row := range m {
		panel := dst[row/op.PanelRows*op.PanelRows*k:]
		for column, v := range w[row*k : (row+1)*k] {
			panel[column*op.PanelRows+row%op.PanelRows] = v
		}
	}
}

// vector is a norm's scale or a bias [n].
func (s *constants) vector(name string, n int) *graph.Value {
	t := op.Type{DType: op.F32, Shape: []op.Dim{op.C(n)}}
	return s.constant(name, t, func(dst []float32) error { return s.weights.ReadF32(name, dst) }).Value()
}

// table is a computed matrix [rows, columns].
func (s *constants) table(name string, rows, columns int, load func(dst []float32) error) *graph.Constant {
	return s.constant(name, op.Type{DType: op.F32, Shape: []op.Dim{op.C(rows), op.C(columns)}}, load)
}

func (s *constants) constant(name string, t op.Type, load func(dst []float32) error) *graph.Constant {
	if c := s.byName[name]; c != nil {
		return c
	}
	c := &graph.Constant{Name: name, Type: t, Load: func(dst []byte) error {
		if err := load(unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst)/4)); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrModel, name, err)
		}
		return nil
	}}
	s.byName[name] = c
	s.module.Constants = append(s.module.Constants, c)
	return c
}
