package ref

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// matrix reads W [M, K] in either layout.
type matrix struct {
	data   []float32
	K      int
	panels bool
}

// matrixOf views copy p of a rank-2 tensor.
func matrixOf(t *kernel.Tensor, p int) matrix {
	if t.Type.Layout == op.Panels16 {
		return matrix{data: t.F32(), K: t.Shape[1], panels: true} // never wide
	}
	return matrix{data: t.Copy(p), K: t.Shape[1]}
}

// weightsOf gives the copies of a rank-2 tensor at each run. A matrix of codes is
// a constant: it is decoded here, once. One of bf16 may have been perturbed for
// the run.
func weightsOf(t *kernel.Tensor) func(p int) matrix {
	if !t.Type.DType.Packed() {
		return func(p int) matrix { return matrixOf(t, p) }
	}
	panels := t.Type.Panels()
	w := matrix{data: make([]float32, panels.M*panels.K), K: panels.K}
	decode := func() {
		for m := range panels.M {
			quant.DecodeRow(row(w.data, m, w.K), t.Data, &panels, m)
		}
	}
	if t.Type.DType.Coded() {
		decode()
		return func(int) matrix { return w }
	}
	return func(p int) matrix {
		if p == 0 {
			decode()
		}
		return w
	}
}

// row gives row m as a slice that begins at its first element, and the stride
// between its elements: element (m, k) is elements[k·stride].
func (w matrix) row(m int) (elements []float32, stride int) {
	if w.panels {
		return w.data[m/op.PanelRows*op.PanelRows*w.K+m%op.PanelRows:], op.PanelRows
	}
	return w.data[m*w.K:], 1
}

// dot is Σ_k x[k] · W[m, k].
func (w matrix) dot(m int, x []float32) float64 {
	sum := 0.0
	if w.K == 0 {
		return sum
	}
	elements, stride := w.row(m)
	for k, v := range x {
		sum += float64(v) * float64(elements[k*stride])
	}
	return sum
}

// addRow adds weight · W[m, :] to sum [K].
func (w matrix) addRow(sum []float64, m int, weight float64) {
	if w.K == 0 {
		return
	}
	elements, stride := w.row(m)
	for k := range sum {
		sum[k] += weight * float64(elements[k*stride])
	}
}
