package bench

import (
	"context"
	"math"
	"slices"
	"testing"

	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/graph/pass"
	"zeroth/kernels/cpu"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"

	"zeroth/internal/testdata"
)

// reviews is the bundled model, linked for LoRA of rank 2 at the modules of the
// layers.
func reviews(t *testing.T, layers []int, modules ...string) *program.Program {
	t.Helper()
	return reviewsOf(t, op.F32, layers, modules...)
}

// reviewsOf is reviews with weights of a type.
func reviewsOf(t *testing.T, weights op.DType, layers []int, modules ...string) *program.Program {
	t.Helper()
	checkpoint, err := importer.Open(testdata.Repo("third_party/reviews-1m"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkpoint.Close() })
	m, err := model.Build(checkpoint, model.Options{Weights: weights})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Materialise(); err != nil {
		t.Fatal(err)
	}
	if err := pass.InsertLoRA(m, pass.LoRA{Rank: 2, Alpha: 4, Sampler: noise.Gaussian, Layers: layers, Modules: modules}); err != nil {
		t.Fatal(err)
	}
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// binder makes sessions of two threads.
func binder(t *testing.T) func(*program.Program, op.Extents, bool, ...string) (*executor.Session, error) {
	t.Helper()
	registry, err := kernel.NewRegistry(cpu.Kernels(cpu.Detect()))
	if err != nil {
		t.Fatal(err)
	}
	return func(p *program.Program, bounds op.Extents, profile bool, methods ...string) (*executor.Session, error) {
		return executor.New(p, registry, executor.Options{Bounds: bounds, Threads: 2, Profile: profile, Methods: methods})
	}
}

func TestRunStep(t *testing.T) {
	o := StepOptions{
		Program: reviews(t, nil), Bind: binder(t), Examples: Examples(3, 4, 9, 512), Estimator: train.PRGE{}, Queries: 2, Eps: 1e-2, Parts: true,
		Progress: func(done, total int, what string) {},
	}
	for _, s := range Switches() {
		if s.Fits(o.Estimator) {
			o.Compare = append(o.Compare, s.Name)
		}
	}
	r, err := RunStep(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Copies != 4 || r.Examples != 3 || r.Tokens != 4+6+9 || r.Labels != 3 || !(r.Seconds > 0 && r.RowsPerS > 0) {
		t.Errorf("the step: %+v", r)
	}
	if m := r.Memory; m.Weights <= 0 || m.Arena <= 0 || m.Slots <= 0 {
		t.Errorf("memory: %+v", m)
	}
	for i, v := range r.Compared {
		if v.Name != o.Compare[i] || v.About == "" || !(v.Ratio > 0) {
			t.Errorf("%+v", v)
		}
		// The model is causal: every other way gives the same losses.
		if !(v.Loss < 1e-5) {
			t.Errorf("%s changes the loss by %g", v.Name, v.Loss)
		}
	}
	if v := r.Compared[2]; v.Tokens != 3*9 {
		t.Errorf("padded: %d tokens, want %d", v.Tokens, 3*9)
	}
	if v := r.Compared[3]; v.Rows != r.Tokens {
		t.Errorf("all rows: %d of %d", v.Rows, r.Tokens)
	}
	share := 0.0
	for _, p := range r.Parts.List {
		share += p.Share
		if !(p.Seconds > 0 && p.Quartiles[0] > 0 && p.Quartiles[0] <= p.Share && p.Share <= p.Quartiles[1] && p.Quartiles[1] < 1) {
			t.Errorf("%+v", p)
		}
	}
	// Of f32 nothing is rounded. Medians need not add up, but to about the whole.
	if len(r.Parts.List) != 7 || r.Parts.Clock != clockOf(false, platform.TellsThreadTime) || math.Abs(share-1) > 0.1 {
		t.Errorf("shares add up to %g: %+v", share, r.Parts)
	}
	o.Parts, o.Compare = false, nil
	if r, err := RunStep(context.Background(), o); err != nil || r.Parts != nil || len(r.Compared) > 0 {
		t.Errorf("alone: %+v, %v", r, err)
	}
	for _, name := range []string{"nosuch", "prge"} { // the step is that of prge
		o.Compare = []string{name}
		if _, err := RunStep(context.Background(), o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// In the eager program everything behind the embedding is wide, whatever is
// trained.
func TestEagerIsWide(t *testing.T) {
	p := reviews(t, []int{4}, "v")
	wide := func(p *program.Program) (n int) {
		for _, node := range p.Method("losses").Nodes {
			if p.Method("losses").Values[node.Out[0]].Type.Wide {
				n++
			}
		}
		return n
	}
	e, err := eager(p)
	if err != nil {
		t.Fatal(err)
	}
	before, after, all := wide(p), wide(e), len(e.Method("losses").Nodes)
	if before >= len(p.Method("losses").Nodes)/2 || after != all-2 { // the lookup and a slice of it stay narrow
		t.Errorf("%d wide nodes became %d of %d", before, after, all)
	}
	if _, err := eager(&program.Program{}); err == nil {
		t.Error("a program without losses is taken")
	}
}

func TestOtherBatches(t *testing.T) {
	b, err := packed(Examples(2, 2, 3, 100))
	if err != nil {
		t.Fatal(err)
	}
	p := padded(b)
	first, second := b.Tokens[:2], b.Tokens[2:]
	if want := slices.Concat(first, []int32{0}, second); !slices.Equal(p.Tokens, want) {
		t.Errorf("padded tokens %v, want %v", p.Tokens, want)
	}
	if want := []int32{0, 1, 2, 0, 1, 2}; !slices.Equal(p.Positions, want) {
		t.Errorf("padded positions %v", p.Positions)
	}
	if want := []int32{1, 5}; !slices.Equal(p.Rows, want) || !slices.Equal(p.SeqOffsets, []int32{0, 3, 6}) {
		t.Errorf("padded rows %v, offsets %v", p.Rows, p.SeqOffsets)
	}
	a := allRows(b)
	if want := []float32{0, 0.5, 0, 0, 0.5}; !slices.Equal(a.Weights, want) {
		t.Errorf("weights of all rows %v, want %v", a.Weights, want)
	}
	if a.Labels[1] != b.Labels[0] || a.Labels[4] != b.Labels[1] || len(a.Rows) != 5 {
		t.Errorf("rows %v, labels %v", a.Rows, a.Labels)
	}
	var none []data.Example
	if _, err := packed(none); err == nil {
		t.Error("a batch of nothing is packed")
	}
}
