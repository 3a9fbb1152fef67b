package executor_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"zeroth/graph"
	"zeroth/kernels/ref"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// fixed is a constant of indices.
func fixed(name string, values ...int32) *graph.Constant {
	c := &graph.Constant{Name: name, Type: op.Type{DType: op.I32, Shape: []op.Dim{op.C(len(values))}}}
	c.Write = func(w io.Writer) error { return binary.Write(w, binary.LittleEndian, values) }
	return c
}

// Constants may be indices too. Where what they address is known only when a
// method runs, they are held to it then, like inputs.
func TestConstantIndicesAreChecked(t *testing.T) {
	for _, c := range []struct {
		name  string
		index []int32
		build func(g *graph.Graph, x, table *graph.Value, index *graph.Constant) *graph.Value
		fails bool
	}{
		{"rows", []int32{0, 3}, gatherRows, false},
		{"rows past the tokens", []int32{0, 4}, gatherRows, true},
		{"rows far past the tokens", []int32{1 << 30}, gatherRows, true},
		{"rows before the tokens", []int32{-1}, gatherRows, true},
		{"sequences", []int32{0, 3, 4}, attend, false},
		{"sequences past the tokens", []int32{0, 3, 9}, attend, true},
		{"sequences before the end", []int32{0, 3}, attend, true},
	} {
		g := graph.NewGraph("forward")
		tokens := g.Input("tokens", op.I32, op.S(op.Tokens, 0))
		table, index := wave("table", vocab, channels), fixed("index", c.index...)
		x := g.Apply(op.Gather, "x", nil, table.Value(), tokens)
		g.Output("y", c.build(g, x, table.Value(), index))
		if g.Err() != nil {
			t.Fatal(g.Err())
		}
		p := lower(t, &graph.Module{Constants: []*graph.Constant{table, index}, Methods: []*graph.Graph{g}})
		for name, registry := range map[string]*kernel.Registry{"ref": plain(t), "cpu": packed(t)} {
			s := session(t, p, registry, executor.Options{Bounds: op.Extents{N: 6}})
			m := method(t, s, "forward")
			if err := m.Resize(op.Extents{N: 4}); err != nil {
				t.Fatal(err)
			}
			err := m.Run(context.Background())
			if c.fails != (err != nil) || err != nil && (!errors.Is(err, executor.ErrInput) || !strings.Contains(err.Error(), "index")) {
				t.Errorf("%s: %s: %v", c.name, name, err)
			}
		}
	}
}

func gatherRows(g *graph.Graph, x, _ *graph.Value, index *graph.Constant) *graph.Value {
	return g.Apply(op.Gather, "y", nil, x, index.Value())
}

func attend(g *graph.Graph, x, _ *graph.Value, index *graph.Constant) *graph.Value {
	return g.Apply(op.Attention, "y", op.Attrs{
		op.IntAttr("num_heads", heads), op.IntAttr("kv_num_heads", heads), op.FloatAttr("scale", 0.5), op.IntAttr("causal", 0),
	}, x, x, x, index.Value())
}

// tangle is a random graph of ops that may work in place, each reading values
// of any age, several times over.
func tangle(t *testing.T, random *rand.Rand, nodes int) *graph.Module {
	t.Helper()
	g := graph.NewGraph("forward")
	tokens := g.Input("tokens", op.I32, op.S(op.Tokens, 0))
	table, scale := wave("table", vocab, channels), wave("scale", channels)
	values := []*graph.Value{g.Apply(op.Gather, "start", nil, table.Value(), tokens)}
	for i := range nodes {
		// Mostly recent values, so that many are read for the last time.
		pick := func() *graph.Value { return values[max(0, len(values)-1-random.IntN(1+random.IntN(5)))] }
		name := fmt.Sprintf("n%d", i)
		switch random.IntN(3) {
		case 0:
			values = append(values, g.Apply(op.Add, name, nil, pick(), pick()))
		case 1:
			values = append(values, g.Apply(op.SwiGLU, name, nil, pick(), pick()))
		case 2:
			values = append(values, g.Apply(op.RMSNormalization, name, op.Attrs{op.FloatAttr("epsilon", 1e-3)}, pick(), scale.Value()))
		}
	}
	g.Output("end", values[len(values)-1])
	if random.IntN(2) == 0 && len(values) > 4 {
		g.Output("midway", values[len(values)/2])
	}
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return &graph.Module{Constants: []*graph.Constant{table, scale}, Methods: []*graph.Graph{g}}
}

// Overwriting in place and sharing the arena change no bit of random graphs.
func TestRandomGraphsInPlace(t *testing.T) {
	shared := 0
	for trial := range uint64(150) {
		var results [2][]float32
		for apart := range 2 {
			m := tangle(t, rand.New(rand.NewPCG(trial, 1)), 3+int(trial%20))
			g := m.Methods[0]
			named := slices.Clone(g.Outputs)
			if apart == 1 {
				for _, n := range g.Nodes {
					if !slices.Contains(g.Outputs, n.Out[0]) {
						g.Output(n.Name, n.Out[0])
					}
				}
			}
			s := session(t, lower(t, m), plain(t), executor.Options{Bounds: op.Extents{N: 3}, Threads: 1})
			bound := method(t, s, "forward")
			in, err := bound.Input("tokens")
			if err != nil {
				t.Fatal(err)
			}
			copy(in.I32(), []int32{4, 0, 2})
			run(t, bound)
			for _, v := range named {
				out, err := bound.Output(v.Name)
				if err != nil {
					t.Fatal(err)
				}
				results[apart] = append(results[apart], out.Copy(0)...)
			}
			for _, item := range bound.Plan().Items {
				shared += strings.Count(item.Name, ",")
			}
		}
		if !slices.Equal(results[0], results[1]) {
			t.Errorf("graph %d: %v, without sharing memory %v", trial, results[0], results[1])
		}
	}
	if shared < 100 {
		t.Errorf("only %d values were overwritten in place", shared)
	}
}

var errKernel = errors.New("device lost")

// failing is the plain kernels, of which one op fails.
func failing(t *testing.T, id op.ID) *kernel.Registry {
	t.Helper()
	list := ref.Kernels()
	for i := range list {
		if list[i].Op == id {
			list[i].Bind = func(*kernel.Call) (kernel.Runner, error) { return brokenRunner{}, nil }
		}
	}
	r, err := kernel.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type brokenRunner struct{}

func (brokenRunner) Run() error { return errKernel }

func TestKernelErrorsAreNamed(t *testing.T) {
	s := session(t, lower(t, small(t)), failing(t, op.Attention), executor.Options{Bounds: bounds})
	m := method(t, s, "losses")
	if err := m.Resize(batch); err != nil {
		t.Fatal(err)
	}
	feed(t, m, inputs())
	err := m.Run(context.Background())
	if !errors.Is(err, errKernel) || !strings.Contains(err.Error(), "Attention attention: kernel attention_f32_ref") {
		t.Errorf("%v", err)
	}
}

// A long chain worked in place, and one whose every value is an output, bind in
// time that grows with their length and not with its square.
func TestLongChainsBind(t *testing.T) {
	for _, outputs := range []bool{false, true} {
		g := graph.NewGraph("forward")
		x := g.Input("x", op.F32, op.S(op.Tokens, 0), op.C(4))
		v := x
		for i := range 16000 {
			v = g.Apply(op.Add, fmt.Sprintf("node%0200d", i), nil, v, x)
			if outputs {
				g.Output(v.Name, v)
			}
		}
		g.Output("end", g.Apply(op.Add, "end", nil, v, x))
		p := lower(t, &graph.Module{Methods: []*graph.Graph{g}})
		s := session(t, p, plain(t), executor.Options{Bounds: op.Extents{N: 2}, Threads: 1})
		m := method(t, s, "forward")
		in, err := m.Input("x")
		if err != nil {
			t.Fatal(err)
		}
		in.F32()[3] = 1
		run(t, m)
		out, err := m.Output("end")
		if err != nil {
			t.Fatal(err)
		}
		if out.F32()[3] != 16002 {
			t.Errorf("outputs %t: the chain gives %g", outputs, out.F32()[3])
		}
	}
}
