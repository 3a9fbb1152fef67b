package gpu

import (
	"encoding/binary"
	"math"

	"zeroth/internal/half"
	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// Activations in f16. With Arithmetic.Store16 a value of a partition lies on the
// device as f16 if it stands as an activation wherever the partition has it: kernels
// widen what they read of it, compute in f32 and round what they write, to nearest
// even, beyond f16 to infinity. Weights, losses, slots, tables of angles and working
// memory stay f32, and so does the host: what crosses is converted there.

// activations are the operands that may be f16.
var activations = map[op.ID]kernel.Operands{
	op.Gather:             {In: 1 << 0, Out: 1 << 0},
	op.RMSNormalization:   {In: 1 << 0, Out: 1 << 0},
	op.LayerNormalization: {In: 1 << 0, Out: 1 << 0},
	op.Linear:             {In: 1 << 0, Out: 1 << 0},
	op.LinearLoRA:         {In: 1 << 0, Out: 1 << 0},
	op.RotaryEmbedding:    {In: 1 << 0, Out: 1 << 0},
	op.Attention:          {In: 1<<0 | 1<<1 | 1<<2, Out: 1 << 0},
	op.SwiGLU:             {In: 1<<0 | 1<<1, Out: 1 << 0},
	op.Add:                {In: 1<<0 | 1<<1, Out: 1 << 0},
	op.Gelu:               {In: 1 << 0, Out: 1 << 0},
	op.Relu:               {In: 1 << 0, Out: 1 << 0},
	op.Slice:              {In: 1 << 0, Out: 1 << 0},
	op.CrossEntropyHead:   {In: 1 << 0},
}

// halves says which values lie on the device as f16. A node has all its activations
// as f16 or none, but for Gather's data, which may be a table of weights.
func (o *Ops) halves(nodes []backend.Node, values []backend.Value) []bool {
	half := make([]bool, len(values))
	if !o.device.Limits().Arithmetic.Store16 {
		return half
	}
	for i := range values {
		v := &values[i]
		t := v.Tensor.Type
		half[i] = (v.Kind == program.Input || v.Kind == program.Temp) && t.DType == op.F32 && t.Layout == op.Rows
	}
	for i := range nodes {
		are := activations[nodes[i].Spec.ID]
		exclude(half, nodes[i].In, ^are.In)
		exclude(half, nodes[i].Out, ^are.Out)
	}
	for changed := true; changed; {
		changed = false
		for i := range nodes {
			n := &nodes[i]
			are := activations[n.Spec.ID]
			wanted := are
			if n.Spec.ID == op.Gather {
				wanted.In = 0
			}
			if lacks(half, n.In, wanted.In) || lacks(half, n.Out, wanted.Out) {
				changed = exclude(half, n.In, are.In) || changed
				changed = exclude(half, n.Out, are.Out) || changed
			}
		}
	}
	return half
}

// exclude takes the operands of a set out, and reports whether any was in.
func exclude(half []bool, operands []int, set uint32) (changed bool) {
	for i, v := range operands {
		if set>>i&1 != 0 && half[v] {
			half[v], changed = false, true
		}
	}
	return changed
}

// lacks reports whether an operand of a set is not in f16.
func lacks(half []bool, operands []int, set uint32) bool {
	for i, v := range operands {
		if set>>i&1 != 0 && !half[v] {
			return true
		}
	}
	return false
}

// narrow rounds values of f32 to f16.
func narrow(to, from []byte) {
	for i := 0; 4*i+4 <= len(from); i++ {
		v := math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:]))
		binary.LittleEndian.PutUint16(to[2*i:], half.FromFloat(v))
	}
}

// widen gives back values of f32.
func widen(to, from []byte) {
	for i := 0; 2*i+2 <= len(from); i++ {
		v := half.ToFloat(binary.LittleEndian.Uint16(from[2*i:]))
		binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(v))
	}
}
