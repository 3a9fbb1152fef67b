package executor_test

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"testing"

	"zeroth/graph"
	"zeroth/kernels/cpu"
	"zeroth/kernels/ref"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// wave fills a constant with a wave of its own.
func wave(name string, dims ...int) *graph.Constant {
	c := &graph.Constant{Name: name, Type: op.Type{DType: op.F32}}
	n := 1
	for _, d := range dims {
		c.Type.Shape = append(c.Type.Shape, op.C(d))
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(math.Sin(float64(len(name)) + 1.9*float64(i)))
	}
	c.Write = func(w io.Writer) error { return binary.Write(w, binary.LittleEndian, values) }
	return c
}

// Sizes of the small model.
const (
	vocab, channels, heads, positions, rank = 7, 8, 2, 5, 2
)

// small is a module with every kind of index input and of op: one attention
// layer with LoRA, a loss, candidates and the update of its LoRA.
func small(t testing.TB) *graph.Module {
	t.Helper()
	m := &graph.Module{Meta: map[string]string{}}
	frozen := func(name string, dims ...int) *graph.Value {
		for _, c := range m.Constants {
			if c.Name == name {
				return c.Value()
			}
		}
		m.Constants = append(m.Constants, wave(name, dims...))
		return m.Constants[len(m.Constants)-1].Value()
	}
	matrix := func(rows, columns int) op.Type {
		return op.Type{DType: op.F32, Shape: []op.Dim{op.C(rows), op.C(columns)}}
	}
	a := &graph.Slot{Name: "A", Type: matrix(rank, channels)}
	b := &graph.Slot{Name: "B", Type: matrix(channels, rank)}
	b2 := &graph.Slot{Name: "B2", Type: matrix(channels, rank)}
	m.Slots = []*graph.Slot{a, b, b2}

	g := graph.NewGraph("losses")
	tokens, place := g.Input("tokens", op.I32, op.S(op.Tokens, 0)), g.Input("positions", op.I32, op.S(op.Tokens, 0))
	offsets, rows := g.Input("offsets", op.I32, op.S(op.Sequences, 1)), g.Input("rows", op.I32, op.S(op.LossRows, 0))
	labels, weights := g.Input("labels", op.I32, op.S(op.LossRows, 0)), g.Input("weights", op.F32, op.S(op.LossRows, 0))
	rowOffsets, choiceOffsets := g.Input("row_offsets", op.I32, op.S(op.Choices, 1)), g.Input("choice_offsets", op.I32, op.S(op.Examples, 1))
	gold := g.Input("gold", op.I32, op.S(op.Examples, 0))
	seed, first, eps := g.Input("seed", op.U32, op.C(2)), g.Input("first", op.I32, op.C(1)), g.Input("eps", op.F32, op.C(1))

	norm := op.Attrs{op.FloatAttr("epsilon", 1e-5)}
	lora := op.Attrs{op.IntAttr("site", 1), op.FloatAttr("scale", 0.5), op.IntAttr("sampler", 1)}
	rotary := op.Attrs{op.IntAttr("num_heads", heads), op.IntAttr("interleaved", 0)}
	x := g.Apply(op.Gather, "embedding", nil, frozen("table", vocab, channels), tokens)
	h := g.Apply(op.RMSNormalization, "norm", norm, x, frozen("scale", channels))
	q := g.Apply(op.LinearLoRA, "q", lora, h, frozen("wq", channels, channels), a.Value(), b.Value(), seed, first, eps)
	k := g.Apply(op.Linear, "k", nil, h, frozen("wk.", channels, channels))
	v := g.Apply(op.Linear, "v", nil, h, frozen("wv..", channels, channels))
	cos, sin := frozen("cos", positions, channels/heads/2), frozen("sine", positions, channels/heads/2)
	q = g.Apply(op.RotaryEmbedding, "q.rotary", rotary, q, place, cos, sin)
	k = g.Apply(op.RotaryEmbedding, "k.rotary", rotary, k, place, cos, sin)
	y := g.Apply(op.Attention, "attention", op.Attrs{
		op.IntAttr("num_heads", heads), op.IntAttr("kv_num_heads", heads), op.FloatAttr("scale", 0.5), op.IntAttr("causal", 1),
	}, q, k, v, offsets)
	x = g.Apply(op.Add, "residual", nil, x, y)
	x = g.Apply(op.Add, "twice", nil, x, x)
	gate := g.Apply(op.Linear, "gate", nil, x, frozen("wgate", channels, channels))
	x = g.Apply(op.SwiGLU, "swiglu", nil, gate, x)
	x = g.Apply(op.Gather, "picked", nil, x, rows)
	nll := g.Apply(op.CrossEntropyHead, "head", nil, x, frozen("table", vocab, channels), labels)
	g.Output("losses", g.Apply(op.WeightedSum, "sum", nil, nll, weights))
	g.Output("choice_losses", g.Apply(op.ChoiceLoss, "choice", op.Attrs{op.IntAttr("mean", 0)}, nll, rowOffsets, choiceOffsets, gold))

	u := graph.NewGraph("update")
	uSeed, grads, lr := u.Input("seed", op.U32, op.C(2)), u.Input("g", op.F32, op.S(op.Queries, 0)), u.Input("lr", op.F32, op.C(1))
	for i, slot := range []*graph.Slot{b, b2} {
		attrs := op.Attrs{op.IntAttr("site", i+1), op.IntAttr("sampler", 1)}
		u.Apply(op.UpdateLoRA, slot.Name, attrs, slot.Value(), uSeed, grads, lr)
	}
	m.Methods = []*graph.Graph{g, u}
	return m
}

func lower(t testing.TB, m *graph.Module) *program.Program {
	t.Helper()
	if err := m.Materialise(); err != nil {
		t.Fatal(err)
	}
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Verify(p); err != nil {
		t.Fatal(err)
	}
	return p
}

func plain(t testing.TB) *kernel.Registry {
	t.Helper()
	r, err := kernel.NewRegistry(ref.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func packed(t testing.TB) *kernel.Registry {
	t.Helper()
	r, err := kernel.NewRegistry(cpu.Kernels(cpu.Detect()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// extents of the batch that feed gives; session bounds are larger.
var (
	batch  = op.Extents{Width: 4, N: 6, S: 3, R: 4, K: 3, G: 2}
	bounds = op.Extents{Width: 6, N: 9, S: 4, R: 7, K: 5, G: 3, Q: 4}
)

// inputs of a sound run of "losses".
func inputs() map[string][]int32 {
	return map[string][]int32{
		"tokens": {1, 6, 0, 3, 3, 2}, "positions": {0, 1, 2, 0, 0, 4}, "offsets": {0, 3, 4, 6},
		"rows": {2, 3, 5, 5}, "labels": {6, 0, 1, 2}, "row_offsets": {0, 1, 3, 4}, "choice_offsets": {0, 2, 3},
		"gold": {1, 0}, "first": {0},
	}
}

func session(t testing.TB, p *program.Program, registry *kernel.Registry, o executor.Options) *executor.Session {
	t.Helper()
	s, err := executor.New(p, registry, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for i := range p.Slots {
		values, err := s.WriteSlot(i)
		if err != nil {
			t.Fatal(err)
		}
		for e := range values {
			values[e] = float32(math.Cos(float64(3*i + e)))
		}
	}
	return s
}

func method(t testing.TB, s *executor.Session, name string) *executor.Method {
	t.Helper()
	m, err := s.Method(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// feed fills the inputs of "losses".
func feed(t testing.TB, m *executor.Method, integers map[string][]int32) {
	t.Helper()
	tensor := func(name string) *kernel.Tensor {
		in, err := m.Input(name)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	for name, values := range integers {
		copy(tensor(name).I32(), values)
	}
	copy(tensor("weights").F32(), []float32{0.5, 0.25, 0.125, 0.125})
	copy(tensor("seed").U32(), []uint32{5, 6})
	tensor("eps").F32()[0] = 0.1
}

func run(t testing.TB, m *executor.Method) {
	t.Helper()
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// outputs copies what "losses" gives: both losses, P of each.
func outputs(t testing.TB, m *executor.Method, width int) []float32 {
	t.Helper()
	var values []float32
	for _, name := range []string{"losses", "choice_losses"} {
		out, err := m.Output(name)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, out.F32()[:width]...)
	}
	return values
}

// slot reads a slot.
func slot(t testing.TB, s *executor.Session, i int) []float32 {
	t.Helper()
	values, err := s.ReadSlot(i)
	if err != nil {
		t.Fatal(err)
	}
	return values
}
