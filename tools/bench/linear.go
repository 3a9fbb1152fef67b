package bench

import (
	"context"
	"fmt"
	"slices"

	"zeroth/graph"
	"zeroth/kernels/conformance"
	"zeroth/kernels/ref"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// linear is op.Linear in a session of its own: y [N, M] = x [N, K] Wᵀ. As in a
// step, the rows are those of a ± pair of copies, half of them each, where N is
// even: a kernel that rounds x rounds a copy without a partner twice.
type linear struct {
	session *executor.Session
	method  *executor.Method
	x, y    *kernel.Tensor
	N, M, K int
	copies  int
}

// newLinear binds Linear with the kernel that the registry picks, for N rows of
// x and weights in panels.
func newLinear(registry *kernel.Registry, w op.Type, data []byte, N int, workers Workers) (*linear, error) {
	l := &linear{N: N, M: w.Shape[0].Offset, K: w.Shape[1].Offset, copies: 2 - N%2}
	weights := &graph.Constant{Name: "W", Type: w, Data: data}
	g := graph.NewGraph("linear")
	x := g.Input("x", op.F32, op.S(op.Tokens, 0), op.C(l.K))
	x.Type.Wide = l.copies > 1
	g.Output("y", g.Apply(op.Linear, "linear", nil, x, weights.Value()))
	if g.Err() != nil {
		return nil, g.Err()
	}
	m := &graph.Module{Constants: []*graph.Constant{weights}, Methods: []*graph.Graph{g}}
	p, err := m.Lower()
	if err != nil {
		return nil, err
	}
	if l.session, err = executor.New(p, registry, executor.Options{Bounds: l.extents(), Threads: workers.Threads, CPUs: workers.CPUs}); err != nil {
		return nil, err
	}
	if err := l.find(); err != nil {
		l.session.Close()
		return nil, err
	}
	return l, nil
}

func (l *linear) find() error {
	var err error
	if l.method, err = l.session.Method("linear"); err != nil {
		return err
	}
	if err = l.method.Resize(l.extents()); err != nil {
		return err
	}
	if l.x, err = l.method.Input("x"); err != nil {
		return err
	}
	l.y, err = l.method.Output("y")
	return err
}

func (l *linear) extents() op.Extents { return op.Extents{Width: l.copies, N: l.N / l.copies} }

func (l *linear) run() error { return l.method.Run(context.Background()) }

// kernelName is the kernel that was picked.
func (l *linear) kernelName() string { return l.method.Kernels()[0] }

// ops is the number of operations of a run.
func (l *linear) ops() float64 { return 2 * float64(l.N) * float64(l.M) * float64(l.K) }

// checkedRows are how many rows of y are compared with the plain kernel's: rows
// do not depend on each other, and the plain kernel is slow.
const checkedRows = 16

// check runs the product once and compares rows from all over y with those of
// the plain kernel.
func (l *linear) check(w op.Type, data []byte) error {
	registry, err := kernel.NewRegistry(ref.Kernels())
	if err != nil {
		return err
	}
	n := min(checkedRows, l.N)
	plain, err := newLinear(registry, w, data, n, Workers{Threads: 1})
	if err != nil {
		return err
	}
	defer plain.session.Close()
	if err := l.run(); err != nil {
		return err
	}
	var got []float32
	for i := range n {
		row := i * (l.N - 1) / max(n-1, 1)
		copy(plain.x.F32()[i*l.K:][:l.K], l.x.F32()[row*l.K:][:l.K])
		got = append(got, l.y.F32()[row*l.M:][:l.M]...)
	}
	if err := plain.run(); err != nil {
		return err
	}
	return compare(l.kernelName(), got, plain.y.F32()[:n*l.M], limitFor(w.DType, l.K))
}

// compare wants got to be as near to want as limit says.
func compare(what string, got, want []float32, limit float64) error {
	if e := conformance.NMSE(got, want, 0); !(e <= limit) || slices.ContainsFunc(got, notFinite) {
		return fmt.Errorf("%s: the result is wrong: NMSE %.3g to the plain kernel's, at most %.3g", what, e, limit)
	}
	return nil
}

func notFinite(v float32) bool { return v-v != 0 }

// limitFor bounds the normalised mean squared error of a product: a kernel of f32
// sums K terms in any order, and one of another type may round x to bf16 or to 8
// bits a row (see runtime/op).
func limitFor(weights op.DType, K int) float64 {
	const roundoffSquared = 1.0 / (1 << 48)
	limit := 16 * roundoffSquared * float64(K+4)
	switch weights {
	case op.F32:
	case op.BF16:
		limit += 1e-5
	default:
		limit += 1e-3
	}
	return limit
}
