package compare

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/graph/pass"
	"zeroth/internal/testdata"
	"zeroth/kernels/cpu"
	"zeroth/kernels/ref"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
	"zeroth/runtime/quant"
	"zeroth/tools/bench"
)

// reviews is the bundled model with weights of a type and LoRA at every site.
func reviews(t *testing.T, weights op.DType) *program.Program {
	t.Helper()
	checkpoint, err := importer.Open(testdata.Repo("third_party/reviews-1m"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkpoint.Close() })
	m, err := model.Build(checkpoint, model.Options{Weights: weights, Context: 64})
	if err == nil {
		err = m.Materialise()
	}
	if err == nil {
		err = pass.InsertLoRA(m, pass.LoRA{Rank: 4, Alpha: 8, Sampler: noise.Gaussian})
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	copies = 4
	eps    = 1e-2
)

// lossesOf is the work of a training step on made-up examples: 17 sequences, so
// that no extent is a multiple of a tile.
func lossesOf(t *testing.T, p *program.Program) (Work, *data.Batch) {
	t.Helper()
	examples := bench.Examples(17, 1, 3, 512)
	picks := make([]int, len(examples))
	for i := range picks {
		picks[i] = i
	}
	b := &data.Batch{}
	if err := b.PackTokens(examples, picks); err != nil {
		t.Fatal(err)
	}
	w := Work{
		Program: p, Method: "losses", Methods: []string{"update"}, Pairs: true,
		Extents: op.Extents{Width: copies, N: len(b.Tokens), S: len(b.SeqOffsets) - 1, R: len(b.Rows), K: len(b.RowOffsets) - 1, G: len(b.Gold), Q: copies / 2},
		Run: func(ctx context.Context, s *executor.Session) error {
			m, err := train.NewModel(s)
			if err == nil {
				err = prepare(m)
			}
			if err != nil {
				return err
			}
			at := train.Perturbation{Seed: noise.StepSeed(1, 0), Copies: copies, Eps: eps}
			return m.Losses(ctx, b, data.TokenLoss, at, make([]float32, copies))
		},
	}
	return w, b
}

func prepare(m *train.Model) error {
	if err := m.Init(1); err != nil {
		return err
	}
	b, err := m.Snapshot()
	for i := range b {
		noise.FillUniform(b[i], 2, uint32(i), 0.005)
	}
	if err == nil {
		err = m.Restore(b)
	}
	return err
}

// engine runs sessions on kernels, the later ones first.
func engine(t *testing.T, kernels ...[]kernel.Kernel) Engine {
	t.Helper()
	registry, err := kernel.NewRegistry(kernels...)
	if err != nil {
		t.Fatal(err)
	}
	return func(p *program.Program, bounds op.Extents, keep bool, methods ...string) (*executor.Session, error) {
		return executor.New(p, registry, executor.Options{Bounds: bounds, Threads: 1, KeepValues: keep, Methods: methods})
	}
}

// The fast kernels pass, whatever the weights.
func TestSoundKernelsPass(t *testing.T) {
	for _, weights := range []op.DType{op.F32, op.BF16, op.I8, op.Q4} {
		w, _ := lossesOf(t, reviews(t, weights))
		want := engine(t, ref.Kernels())
		calls := 0
		nodes, err := Walk(context.Background(), w, engine(t, cpu.Kernels(cpu.Detect())), want, func(done, total int, what string) {
			if done != calls || total != len(w.Program.Method("losses").Nodes)+2 || what == "" {
				t.Errorf("progress %d of %d: %q", done, total, what)
			}
			calls++
		})
		if err != nil {
			t.Fatal(err)
		}
		r := Report{Nodes: nodes}
		if v := r.Verdict(); v != "" {
			t.Errorf("%s weights: %s", weights, v)
		}
		// Limits are no use that are far above what sound kernels do.
		if worst := WorstFirst(nodes)[0]; weights == op.F32 && worst.Excess() > 1e-4 || worst.Excess() > 0.5 {
			t.Errorf("%s weights: %s is at %.2g of its limit: %+v", weights, worst, worst.Excess(), worst.Alone)
		}
		if Rounded(nodes) != (weights != op.F32) {
			t.Errorf("%s weights: rounded: %v", weights, Rounded(nodes))
		}
	}
}

// wrong is a kernel like base that spoils the calls which are meant.
func wrong(base kernel.Kernel, meant func(in []op.Type, a op.Attrs) bool, spoil func(c *kernel.Call, run func() error) error) kernel.Kernel {
	k := base
	k.Name, k.Cost = "wrong_"+base.Name, 1
	k.Supports = func(in []op.Type, a op.Attrs) bool {
		return (base.Supports == nil || base.Supports(in, a)) && meant(in, a)
	}
	k.Bind = func(c *kernel.Call) (kernel.Runner, error) {
		r, err := base.Bind(c)
		return spoiled{c, r, spoil}, err
	}
	return k
}

type spoiled struct {
	call  *kernel.Call
	base  kernel.Runner
	spoil func(c *kernel.Call, run func() error) error
}

func (s spoiled) Run() error { return s.spoil(s.call, s.base.Run) }

// after spoils what a sound kernel computed.
func after(spoil func(c *kernel.Call)) func(*kernel.Call, func() error) error {
	return func(c *kernel.Call, run func() error) error {
		err := run()
		spoil(c)
		return err
	}
}

// rowOf is row n of copy p of a kernel's result.
func rowOf(c *kernel.Call, p, n int) []float32 {
	columns := c.Out[0].Shape[1]
	return c.Out[0].Copy(p)[n*columns : (n+1)*columns]
}

func TestFindsPlantedFaults(t *testing.T) {
	const site = 10 // of the second layer
	atSite := func(_ []op.Type, a op.Attrs) bool { return a.Int("site") == site }
	for _, c := range []struct {
		name    string
		weights op.DType
		op      op.ID
		meant   func(in []op.Type, a op.Attrs) bool
		spoil   func(c *kernel.Call, run func() error) error
		says    string
	}{
		{"the rows past the last whole tile of 8 are 1 % off", op.F32, op.LinearLoRA, atSite, after(func(c *kernel.Call) {
			N := c.Out[0].Shape[0]
			for p := range c.Out[0].Width {
				for n := N / 8 * 8; n < N; n++ {
					for m := range rowOf(c, p, n) {
						rowOf(c, p, n)[m] *= 1.01
					}
				}
			}
		}), "furthest is copy "},
		{"the last column of an edge panel is 1 % off", op.F32, op.LinearLoRA, atSite, after(func(c *kernel.Call) {
			for p := range c.Out[0].Width {
				for n := range c.Out[0].Shape[0] {
					row := rowOf(c, p, n)
					row[len(row)-1] *= 1.01
				}
			}
		}), "of a column is above"},
		{"the last of more than two copies has a wrong row", op.F32, op.LinearLoRA, atSite, after(func(c *kernel.Call) {
			if P := c.Out[0].Width; P > 2 {
				copy(rowOf(c, P-1, 0), rowOf(c, P-1, 1))
			}
		}), "copy 3 row 0 "},
		{"one element is no number", op.F32, op.LinearLoRA, atSite, after(func(c *kernel.Call) {
			rowOf(c, 1, 2)[3] = float32(math.NaN())
		}), "1 elements are not finite as they should be; copy 1 row 2 column 3: NaN, want "},
		{"the perturbation is a fifth too small", op.I8, op.LinearLoRA, atSite, func(c *kernel.Call, run func() error) error {
			c.In[6].F32()[0] = 0.8 * eps
			err := run()
			c.In[6].F32()[0] = eps
			return err
		}, "of the differences of ± pairs"},
		{"one group of one output is left out", op.Q4, op.LinearLoRA, atSite, after(func(c *kernel.Call) {
			g := c.In[1].Type.Panels()
			w, m := make([]float32, g.K), g.M-3
			quant.DecodeRow(w, c.In[1].Data, &g, m)
			for p := range c.Out[0].Width {
				for n := range c.Out[0].Shape[0] {
					x := c.In[0].Copy(p)[n*g.K : (n+1)*g.K]
					for k := 32; k < 64; k++ {
						rowOf(c, p, n)[m] -= x[k] * w[k]
					}
				}
			}
		}), "column 125: "},
		{"the head forgets the last word", op.F32, op.CrossEntropyHead, func([]op.Type, op.Attrs) bool { return true }, after(func(c *kernel.Call) {
			values := c.Out[0].Copy(0)
			values[len(values)-1] += 0.02
		}), "row 0 column 16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := lossesOf(t, reviews(t, c.weights))
			sound := cpu.Kernels(cpu.Detect())
			registry, err := kernel.NewRegistry(sound)
			if err != nil {
				t.Fatal(err)
			}
			node, at := nodeOf(t, w.Program, c.op, c.meant)
			base, err := registry.Pick(c.op, typesOf(w.Program, node), node.Attrs)
			if err != nil {
				t.Fatal(err)
			}
			tested := engine(t, sound, []kernel.Kernel{wrong(*base, c.meant, c.spoil)})
			want := engine(t, sound)
			if c.weights != op.F32 { // the fault has to stand out from what rounding does
				want = engine(t, ref.Kernels())
			}
			nodes, err := Walk(context.Background(), w, tested, want, nil)
			if err != nil {
				t.Fatal(err)
			}
			faults := Faulty(nodes)
			if len(faults) != 1 || faults[0].Index != at || faults[0].Kernel != "wrong_"+base.Name {
				t.Fatalf("the fault is in node %d %s; found: %v", at, node.Name, faults)
			}
			r := Report{Nodes: nodes}
			if v := r.Verdict(); !strings.HasPrefix(v, faults[0].String()) || !strings.Contains(v, c.says) {
				t.Errorf("verdict %q, want it to say %q", v, c.says)
			}
			if WorstFirst(nodes)[0] != faults[0] {
				t.Errorf("the worst is said to be %s", WorstFirst(nodes)[0])
			}
		})
	}
}

// nodeOf finds the node of "losses" that is meant.
func nodeOf(t *testing.T, p *program.Program, id op.ID, meant func([]op.Type, op.Attrs) bool) (*program.Node, int) {
	t.Helper()
	m := p.Method("losses")
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.Op == id && meant(typesOf(p, n), n.Attrs) {
			return n, i
		}
	}
	t.Fatalf("no %s is meant", id)
	return nil, 0
}

func typesOf(p *program.Program, n *program.Node) []op.Type {
	var types []op.Type
	for _, v := range n.In {
		types = append(types, p.Method("losses").Values[v].Type)
	}
	return types
}

// A fault that only a whole run has is said to be between the nodes.
func TestFaultBetweenNodes(t *testing.T) {
	w, _ := lossesOf(t, reviews(t, op.F32))
	sound := cpu.Kernels(cpu.Detect())
	bound := 0 // additions of the latest session
	var base kernel.Kernel
	for _, k := range sound {
		if k.Op == op.Add {
			base = k
		}
	}
	bad := wrong(base, func([]op.Type, op.Attrs) bool { return true }, after(func(c *kernel.Call) {
		if bound > 1 {
			clear(rowOf(c, 0, 5))
		}
	}))
	bind := bad.Bind
	bad.Bind = func(c *kernel.Call) (kernel.Runner, error) {
		bound++
		return bind(c)
	}
	inner := engine(t, sound, []kernel.Kernel{bad})
	tested := func(p *program.Program, bounds op.Extents, keep bool, methods ...string) (*executor.Session, error) {
		bound = 0
		return inner(p, bounds, keep, methods...)
	}
	nodes, err := Walk(context.Background(), w, tested, engine(t, sound), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := Report{Nodes: nodes}
	inRun := FaultyInRun(nodes)
	if len(Faulty(nodes)) != 0 || len(inRun) == 0 || inRun[0].Op != "Add" {
		t.Fatalf("alone %v, in the run %v", Faulty(nodes), inRun)
	}
	if v := r.Verdict(); !strings.HasPrefix(v, inRun[0].String()) || !strings.Contains(v, "every node alone is within its limit") {
		t.Errorf("verdict %q", v)
	}
}

// Gradients of two backends agree, and B moves to the same bits; a backend that
// computes another loss, other gradients or another update is told so.
func TestTrain(t *testing.T) {
	w, b := lossesOf(t, reviews(t, op.F32))
	probe := bench.Probe{Batch: b, Loss: data.TokenLoss, Seed: 3, Directions: 6, Estimator: train.PRGE{}, Queries: copies / 2, Eps: []float64{eps}}
	sound := cpu.Kernels(cpu.Detect())
	bind := func(kernels ...[]kernel.Kernel) Bind {
		return func() (*train.Model, error) {
			s, err := engine(t, kernels...)(w.Program, w.Extents, false, "losses", "update")
			if err != nil {
				return nil, err
			}
			m, err := train.NewModel(s)
			if err == nil {
				err = prepare(m)
			}
			return m, err
		}
	}
	every := func([]op.Type, op.Attrs) bool { return true }
	of := func(id op.ID) kernel.Kernel {
		for _, k := range sound {
			if k.Op == id {
				return k
			}
		}
		t.Fatal("no kernel for", id)
		return kernel.Kernel{}
	}
	for _, c := range []struct {
		name  string
		wrong []kernel.Kernel
		says  string
	}{
		{"sound", nil, ""},
		{"loss", []kernel.Kernel{wrong(of(op.WeightedSum), every, after(func(c *kernel.Call) {
			for p := range c.Out[0].Width {
				c.Out[0].F32()[p] *= 1.001
			}
		}))}, "the loss is "},
		{"gradients", []kernel.Kernel{wrong(of(op.WeightedSum), every, after(func(c *kernel.Call) {
			for p := range c.Out[0].Width {
				c.Out[0].F32()[p] += 5e-2 * float32(p%3)
			}
		}))}, "the projected gradients have a correlation of "},
		{"no numbers", []kernel.Kernel{wrong(of(op.WeightedSum), every, after(func(c *kernel.Call) {
			if c.Out[0].Width > 1 {
				c.Out[0].F32()[1] = float32(math.Inf(1))
			}
		}))}, "are not finite"},
		{"update", []kernel.Kernel{wrong(of(op.UpdateLoRA), func(_ []op.Type, a op.Attrs) bool { return a.Int("site") == 10 }, after(func(c *kernel.Call) {
			c.In[0].F32()[7] *= 1 + 1.0/(1<<22)
		}))}, "after an update B differs at 1 of 35 sites"},
	} {
		got, err := Train(context.Background(), bind(sound, c.wrong), bind(sound), probe, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.Fault, c.says) || (c.says == "") != (got.Fault == "") {
			t.Errorf("%s: %q, want it to say %q", c.name, got.Fault, c.says)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.says == "" && (got.Sites != 35 || got.Correlation < 0.99999 || got.Size <= 0) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
