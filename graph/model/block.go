package model

import (
	"fmt"
	"unsafe"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// block holds what all architectures build with: the module and its constants
// by name, so that a weight used twice is one constant.
type block struct {
	weights   Weights
	module    *graph.Module
	constants map[string]*graph.Constant
}

func newBlock(w Weights) *block {
	return &block{
		weights:   w,
		module:    &graph.Module{Meta: make(map[string]string)},
		constants: make(map[string]*graph.Constant),
	}
}

// linear: x [N, K] → x Wᵀ [N, M], a LoRA site of that name.
func (b *block) linear(g *graph.Graph, name string, x *graph.Value, out int) *graph.Value {
	if g.Err() != nil {
		return x
	}
	in := x.Type.Shape[1].Offset
	return g.Apply(op.Linear, name, nil, x, b.weight(name+".weight", out, in, true).Value())
}

// weight is a matrix [rows, columns] of the checkpoint, in panels for a matrix
// product or row-major for a lookup.
func (b *block) weight(name string, rows, columns int, panels bool) *graph.Constant {
	t := op.Type{DType: op.F32, Shape: []op.Dim{op.C(rows), op.C(columns)}}
	if panels {
		t.Layout = op.Panels16
	}
	return b.constant(name, t, func(dst []float32) error {
		if !panels {
			return b.weights.ReadF32(name, dst)
		}
		flat := make([]float32, rows*columns)
		if err := b.weights.ReadF32(name, flat); err != nil {
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

// vector is a norm's scale [n].
func (b *block) vector(name string, n int) *graph.Value {
	t := op.Type{DType: op.F32, Shape: []op.Dim{op.C(n)}}
	return b.constant(name, t, func(dst []float32) error { return b.weights.ReadF32(name, dst) }).Value()
}

// table is a computed matrix [rows, columns].
func (b *block) table(name string, rows, columns int, at func(row, column int) float32) *graph.Constant {
	t := op.Type{DType: op.F32, Shape: []op.Dim{op.C(rows), op.C(columns)}}
	return b.constant(name, t, func(dst []float32) error {
		for i := range dst {
			dst[i] = at(i/columns, i%columns)
		}
		return nil
	})
}

func (b *block) constant(name string, t op.Type, load func(dst []float32) error) *graph.Constant {
	if c := b.constants[name]; c != nil {
		return c
	}
	c := &graph.Constant{Name: name, Type: t, Load: func(dst []byte) error {
		if err := load(unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst)/4)); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrModel, name, err)
		}
		return nil
	}}
	b.constants[name] = c
	b.module.Constants = append(b.module.Constants, c)
	return c
}
