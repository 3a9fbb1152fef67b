package model_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zeroth/graph"
	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/graph/modeltest"
	"zeroth/graph/pass"
	"zeroth/kernels/ref"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// waves is a checkpoint whose weights are waves: no two tensors or rows alike.
type waves importer.Config

func (w waves) Config() importer.Config { return importer.Config(w) }

func (w waves) ReadF32(name string, dst []float32) error {
	phase := 0.0
	for i, c := range []byte(name) {
		phase += float64(c) * float64(i+1)
	}
	for i := range dst {
		dst[i] = float32(0.4 * math.Sin(phase+1.7*float64(i)))
		if strings.Contains(name, "norm") {
			dst[i]++
		}
	}
	return nil
}

func (w waves) ReadRows(name string, first int, dst []float32) error {
	return modeltest.ReadRows(importer.Config(w), w.ReadF32, name, first, dst)
}

func fiveLayers() waves {
	return waves{
		Architecture: "llama", HiddenSize: 12, IntermediateSize: 20, Layers: 5, Heads: 4, KVHeads: 2, HeadDim: 6,
		VocabSize: 19, MaxPositions: 16, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
	}
}

func modelOf(t *testing.T, w model.Weights, lora *pass.LoRA) *graph.Module {
	t.Helper()
	m, err := model.Build(w, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Materialise(); err != nil {
		t.Fatal(err)
	}
	if lora != nil {
		if err := pass.InsertLoRA(m, *lora); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// What no perturbed parameter has touched has width 1; all that follows is wide.
func TestWidthBeginsAtTheFirstSite(t *testing.T) {
	for _, c := range []struct {
		name  string
		lora  pass.LoRA
		first string // the first wide node
	}{
		{"all", pass.LoRA{}, "model.layers.0.self_attn.q_proj"},
		{"layers 3-4", pass.LoRA{Layers: []int{3, 4}}, "model.layers.3.self_attn.q_proj"},
		{"layer 2, down", pass.LoRA{Layers: []int{2}, Modules: []string{"down"}}, "model.layers.2.mlp.down_proj"},
		{"layer 4, v", pass.LoRA{Layers: []int{4}, Modules: []string{"v"}}, "model.layers.4.self_attn.v_proj"},
		{"o everywhere", pass.LoRA{Modules: []string{"o"}}, "model.layers.0.self_attn.o_proj"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.lora.Rank, c.lora.Alpha, c.lora.Sampler = 2, 4, noise.Gaussian
			p, err := modelOf(t, fiveLayers(), &c.lora).Lower()
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"forward", "losses"} {
				checkWidth(t, p.Method(name), c.first)
			}
		})
	}
}

// checkWidth follows the width by reachability alone: a value is wide exactly
// where it descends from a LinearLoRA node.
func checkWidth(t *testing.T, m *program.Method, first string) {
	t.Helper()
	wide := make([]bool, len(m.Values))
	begun := ""
	for _, n := range m.Nodes {
		reached := n.Op == op.LinearLoRA
		for _, v := range n.In {
			reached = reached || wide[v]
		}
		for _, v := range n.Out {
			wide[v] = reached
			if m.Values[v].Type.Wide != reached {
				t.Errorf("%s: %s is %s", m.Name, n.Name, m.Values[v].Type)
			}
		}
		if reached && begun == "" {
			begun = n.Name
		}
	}
	if begun != first {
		t.Errorf("%s: width begins at %s, want %s", m.Name, begun, first)
	}
	for _, v := range m.Outputs {
		if !m.Values[v].Type.Wide {
			t.Errorf("%s: output %s is narrow", m.Name, m.Values[v].Name)
		}
	}
}

// Layers below the trained ones take no part in widening: by name.
func TestLowerLayersStayNarrow(t *testing.T) {
	lora := pass.LoRA{Rank: 2, Alpha: 4, Sampler: noise.Gaussian, Layers: []int{3, 4}}
	m := modelOf(t, fiveLayers(), &lora)
	seen := 0
	for _, n := range m.Method("losses").Nodes {
		lower := n.Name == "embedding" || strings.HasPrefix(n.Name, "model.layers.0.") ||
			strings.HasPrefix(n.Name, "model.layers.1.") || strings.HasPrefix(n.Name, "model.layers.2.")
		if lower {
			seen++
			if n.Out[0].Type.Wide {
				t.Errorf("%s is %s", n.Name, n.Out[0].Type)
			}
		}
	}
	if seen < 3*12 {
		t.Errorf("only %d nodes of the lower layers found", seen)
	}
}

// After the last attention everything is computed for the R rows that are read.
func TestLastLayerComputesRowsOnly(t *testing.T) {
	m := modelOf(t, fiveLayers(), nil)
	for _, name := range []string{"forward", "losses"} {
		g := m.Method(name)
		last := slices.IndexFunc(g.Nodes, func(n *graph.Node) bool { return n.Name == "model.layers.4.self_attn.attention" })
		for _, n := range g.Nodes[last+1:] {
			if shape := n.Out[0].Type.Shape; len(shape) > 0 && shape[0] != op.S(op.LossRows, 0) {
				t.Errorf("%s: %s %s is %s, want R rows", name, n.Op, n.Name, n.Out[0].Type)
			}
		}
		for _, n := range g.Nodes[:last+1] {
			if n.Out[0].Type.Shape[0] != op.S(op.Tokens, 0) {
				t.Errorf("%s: %s is %s, want N rows", name, n.Name, n.Out[0].Type)
			}
		}
	}
}

// lateGathers undoes HoistGathers: it computes the last layer for all tokens
// and gathers the rows before the head.
func lateGathers(t *testing.T, m *graph.Module) {
	t.Helper()
	for _, g := range m.Methods {
		rows := g.FindInput("rows")
		if rows == nil {
			continue
		}
		kept := g.Nodes[:0:0]
		instead := make(map[*graph.Value]*graph.Value)
		for _, n := range g.Nodes {
			if n.Op == op.Gather && n.In[1] == rows {
				instead[n.Out[0]] = n.In[0]
				continue
			}
			for i, v := range n.In {
				if from := instead[v]; from != nil {
					n.In[i] = from
				}
			}
			if n.Name == "lm_head" || n.Name == "cross_entropy" {
				out := &graph.Value{Name: "late", Type: n.In[0].Type}
				gather := &graph.Node{Op: op.Gather, Name: "late", In: []*graph.Value{n.In[0], rows}, Out: []*graph.Value{out}}
				out.Def = gather
				kept = append(kept, gather)
				n.In[0] = out
			}
			kept = append(kept, n)
		}
		g.Nodes = kept
		if err := g.InferTypes(); err != nil {
			t.Fatal(err)
		}
	}
}

// run gives the outputs of a method of a module on one ragged batch.
func run(t *testing.T, m *graph.Module, method string) map[string][]float32 {
	t.Helper()
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Verify(p); err != nil {
		t.Fatal(err)
	}
	registry, err := kernel.NewRegistry(ref.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	extents := op.Extents{Width: 4, N: 9, S: 3, R: 5, K: 3, G: 2, Q: 2}
	s, err := executor.New(p, registry, executor.Options{Bounds: extents, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range p.Slots {
		slot, err := s.WriteSlot(i)
		if err != nil {
			t.Fatal(err)
		}
		for e := range slot {
			slot[e] = float32(0.3 * math.Cos(float64(7*i+3*e)))
		}
	}
	bound, err := s.Method(method)
	if err != nil {
		t.Fatal(err)
	}
	feed(t, bound)
	if err := bound.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	outputs := make(map[string][]float32)
	for _, v := range p.Method(method).Outputs {
		name := p.Method(method).Values[v].Name
		out, err := bound.Output(name)
		if err != nil {
			t.Fatal(err)
		}
		outputs[name] = slices.Clone(out.F32())
	}
	return outputs
}

// feed fills the inputs of a method: sequences of 4, 1 and 4 tokens.
func feed(t *testing.T, m *executor.Method) {
	t.Helper()
	for name, values := range map[string][]int32{
		"tokens": {1, 5, 3, 8, 2, 1, 7, 7, 18}, "positions": {0, 1, 2, 3, 0, 0, 1, 2, 3}, "offsets": {0, 4, 5, 9},
		"rows": {2, 3, 4, 4, 8}, "labels": {4, 11, 0, 18, 6}, "row_offsets": {0, 2, 3, 5}, "choice_offsets": {0, 2, 3},
		"gold": {1, 0}, "first": {0},
	} {
		if m.Has(name) {
			in, err := m.Input(name)
			if err != nil {
				t.Fatal(err)
			}
			copy(in.I32(), values)
		}
	}
	for name, values := range map[string][]float32{"weights": {0.1, 0.2, 0.3, 0.25, 0.15}, "eps": {0.05}} {
		if m.Has(name) {
			in, err := m.Input(name)
			if err != nil {
				t.Fatal(err)
			}
			copy(in.F32(), values)
		}
	}
	if m.Has("seed") {
		in, err := m.Input("seed")
		if err != nil {
			t.Fatal(err)
		}
		copy(in.U32(), []uint32{3, 4})
	}
}

func TestHoistGathersChangesNoResult(t *testing.T) {
	for name, lora := range map[string]*pass.LoRA{
		"frozen":     nil,
		"all sites":  {Rank: 3, Alpha: 6, Sampler: noise.Gaussian},
		"last layer": {Rank: 2, Alpha: 6, Sampler: noise.Rademacher, Layers: []int{4}},
		"only v":     {Rank: 2, Alpha: 6, Sampler: noise.Gaussian, Layers: []int{4}, Modules: []string{"v"}},
	} {
		for _, method := range []string{"forward", "losses"} {
			t.Run(fmt.Sprintf("%s/%s", name, method), func(t *testing.T) {
				early, late := modelOf(t, fiveLayers(), lora), modelOf(t, fiveLayers(), lora)
				lateGathers(t, late)
				want, got := run(t, late, method), run(t, early, method)
				for output := range want {
					if !slices.Equal(got[output], want[output]) {
						t.Errorf("%s: %v, without hoisting %v", output, got[output], want[output])
					}
				}
				if len(want) == 0 {
					t.Error("no outputs")
				}
			})
		}
	}
}
