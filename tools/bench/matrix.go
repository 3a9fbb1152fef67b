package bench

import (
	"fmt"
	"math/rand/v2"

	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/quant"
)

// normal fills values with standard normal ones.
func normal(rng *rand.Rand, values []float32) {
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
}

// weightsOf makes a random weight matrix [M, K] of an element type, in panels.
func weightsOf(rng *rand.Rand, dtype op.DType, M, K int) (op.Type, []byte, error) {
	t := op.Type{DType: dtype, Layout: op.Panels16, Shape: []op.Dim{op.C(M), op.C(K)}}
	if err := t.Check(); err != nil {
		return t, nil, err
	}
	p := t.Panels()
	data := platform.Aligned(int(p.Bytes))
	rows := make([]float32, op.PanelRows*K)
	for i := range p.Count {
		n := min(op.PanelRows, M-i*op.PanelRows)
		normal(rng, rows[:n*K])
		if err := quant.PanelOf(data, &p, i).Encode(&p, rows, n); err != nil {
			return t, nil, fmt.Errorf("panel %d of %s: %w", i, t, err)
		}
	}
	return t, data, nil
}

// rowsOf decodes weights [M, K] to f32, row-major.
func rowsOf(t op.Type, data []byte) []float32 {
	p := t.Panels()
	rows := make([]float32, p.M*p.K)
	for m := range p.M {
		quant.DecodeRow(rows[m*p.K:][:p.K], data, &p, m)
	}
	return rows
}
