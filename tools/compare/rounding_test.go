package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// A channel that is large in x and absent from W takes precision from y without
// adding to it. Rounding x is within the limit there, and an error beyond what it
// explains is not.
func TestLimitKnowsWhatReachesY(t *testing.T) {
	const N, K, M = 6, 64, 32
	r := rand.New(rand.NewPCG(1, 2))
	x, w := make([]float64, N*K), make([]float32, M*K)
	for i := range x {
		x[i] = r.NormFloat64()
		if i%K == 0 {
			x[i] *= 60
		}
	}
	for i := range w {
		if i%K != 0 {
			w[i] = float32(r.NormFloat64())
		}
	}
	weights := &kernel.Tensor{Type: op.Type{DType: op.I8, Layout: op.Panels16, Shape: []op.Dim{op.C(M), op.C(K)}}, Width: 1, Shape: []int{M, K}}
	g := weights.Type.Panels()
	weights.Data = make([]byte, g.Bytes)
	for p := range g.Count {
		if err := quant.PanelOf(weights.Data, &g, p).Encode(&g, w[p*op.PanelRows*K:(p+1)*op.PanelRows*K], op.PanelRows); err != nil {
			t.Fatal(err)
		}
	}
	exact, rounded := matrix(N, K), matrix(N, K)
	for n := range N {
		largest := 0.0
		for _, v := range x[n*K : (n+1)*K] {
			largest = max(largest, math.Abs(v))
		}
		for k, v := range x[n*K : (n+1)*K] {
			exact.F32()[n*K+k] = float32(v)
			rounded.F32()[n*K+k] = float32(math.Round(v/largest*127) * largest / 127)
		}
	}
	want, have := product(exact, weights), product(rounded, weights)
	spec, _ := op.Lookup(op.Linear)
	l := limitOf(spec, []*kernel.Tensor{exact, weights}, want, false)
	e := measure(have, want, l)
	if e.NMSE < 4*peak(exact)/(127*127*12) {
		t.Errorf("NMSE %g: the largest value alone explains it", e.NMSE)
	}
	if fault := l.fault(&e); fault != "" {
		t.Error(fault)
	}
	for i := range have.F32() { // as if x had 6 bits
		have.F32()[i] = want.F32()[i] + 4*(have.F32()[i]-want.F32()[i])
	}
	if e = measure(have, want, l); l.fault(&e) == "" {
		t.Errorf("NMSE %g passes a limit of %g", e.NMSE, l.NMSE)
	}
}

func matrix(rows, columns int) *kernel.Tensor {
	return &kernel.Tensor{
		Type:  op.Type{DType: op.F32, Shape: []op.Dim{op.S(op.Tokens, 0), op.C(columns)}},
		Width: 1, Shape: []int{rows, columns}, Data: make([]byte, 4*rows*columns),
	}
}

func product(x, w *kernel.Tensor) *kernel.Tensor {
	g := w.Type.Panels()
	y, row := matrix(x.Shape[0], g.M), make([]float32, g.K)
	for m := range g.M {
		quant.DecodeRow(row, w.Data, &g, m)
		for n := range x.Shape[0] {
			sum := 0.0
			for k, v := range row {
				sum += float64(v) * float64(x.F32()[n*g.K+k])
			}
			y.F32()[n*g.M+m] = float32(sum)
		}
	}
	return y
}
