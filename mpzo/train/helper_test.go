package train_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/graph"
	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/graph/modeltest"
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
)

// toy is a Llama checkpoint of random weights: every tensor is a function of
// the seed and its name.
type toy struct {
	config importer.Config
	seed   uint64
}

func (c toy) Config() importer.Config { return c.config }

// ReadF32 fills norms with values around 1 and matrices with a standard
// deviation of 1/√K, so that activations keep their size.
func (c toy) ReadF32(name string, dst []float32) error {
	h := fnv.New64a()
	fmt.Fprint(h, name)
	random := rand.New(rand.NewPCG(c.seed, h.Sum64()))
	if len(dst) == c.config.HiddenSize { // a norm
		for i := range dst {
			dst[i] = float32(1 + 0.2*random.NormFloat64())
		}
		return nil
	}
	spread := 1 / math.Sqrt(float64(c.config.HiddenSize))
	for i := range dst {
		dst[i] = float32(spread * random.NormFloat64())
	}
	return nil
}

func (c toy) ReadRows(name string, first int, dst []float32) error {
	return modeltest.ReadRows(c.config, c.ReadF32, name, first, dst)
}

// toyConfig is a small shape with grouped key heads.
func toyConfig() importer.Config {
	return importer.Config{
		Architecture: "llama", HiddenSize: 16, IntermediateSize: 24, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 4,
		VocabSize: 29, MaxPositions: 32, NormEps: 1e-5, RopeTheta: 10000, Tied: true, BOS: 1, EOS: 2,
	}
}

// randomConfig draws a shape: head counts, both rotary pairings, tied or not.
func randomConfig(random *rand.Rand) importer.Config {
	kv := 1 + random.IntN(3)
	return importer.Config{
		Architecture: "llama", HiddenSize: 3 + random.IntN(30), IntermediateSize: 1 + random.IntN(40),
		Layers: 1 + random.IntN(3), Heads: kv * (1 + random.IntN(3)), KVHeads: kv, HeadDim: 2 * (1 + random.IntN(5)),
		VocabSize: 5 + random.IntN(40), MaxPositions: 32, NormEps: 1e-5, RopeTheta: 10000,
		Interleaved: random.IntN(2) == 0, Tied: random.IntN(2) == 0, BOS: 1, EOS: 2,
	}
}

// build makes a program of a checkpoint, in memory and without LoRA.
func build(t testing.TB, weights model.Weights) *program.Program {
	t.Helper()
	m, err := model.Build(weights, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Materialise(); err != nil {
		t.Fatal(err)
	}
	return lower(t, m)
}

func lower(t testing.TB, m *graph.Module) *program.Program {
	t.Helper()
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.VerifyStructure(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// checkpoint builds a program of a shared model.
func checkpoint(t testing.TB, name string) *program.Program {
	t.Helper()
	c, err := importer.Open(testdata.Shared(t, "models/"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return build(t, c)
}

// link puts LoRA into a program, and its slopes; the constants are shared.
func link(t testing.TB, base *program.Program, lora pass.LoRA) *program.Program {
	t.Helper()
	m := graph.Lift(base)
	if err := pass.InsertLoRA(m, lora); err != nil {
		t.Fatal(err)
	}
	if err := pass.Tangents(m); err != nil {
		t.Fatal(err)
	}
	return lower(t, m)
}

// gaussianLoRA is LoRA at all sites.
func gaussianLoRA(rank int) pass.LoRA {
	return pass.LoRA{Rank: rank, Alpha: float64(2 * rank), Sampler: noise.Gaussian}
}

// backends are the kernels that every proof is made for.
func backends(t testing.TB) map[string]*kernel.Registry {
	t.Helper()
	list := make(map[string]*kernel.Registry)
	for name, kernels := range map[string][]kernel.Kernel{
		"ref": ref.Kernels(), "cpu": cpu.Kernels(cpu.Detect()), "cpu-generic": cpu.Kernels(cpu.Features{}),
	} {
		registry, err := kernel.NewRegistry(kernels)
		if err != nil {
			t.Fatal(err)
		}
		list[name] = registry
	}
	return list
}

// bind makes a model of a program; the test's end closes it.
func bind(t testing.TB, p *program.Program, registry *kernel.Registry, bounds op.Extents, threads int) *train.Model {
	t.Helper()
	methods := []string{"losses", "update"}
	for _, more := range []string{pass.MethodPrefix, pass.MethodSlopes} {
		if p.Method(more) != nil {
			methods = append(methods, more)
		}
	}
	s, err := executor.New(p, registry, executor.Options{Bounds: bounds, Threads: threads, Methods: methods})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	m, err := train.NewModel(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// disturb gives every B small values, as after some training.
func disturb(m *train.Model, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 99))
	for _, site := range m.Sites() {
		b := slot(m, site.B)
		for i := range b {
			b[i] = float32(0.05 * random.NormFloat64())
		}
	}
}

// perturbed sets every B to start + σ ε z of query i, each product and sum
// rounded to float32, z being drawn here by noise.Sampler.
func perturbed(m *train.Model, start [][]float32, sampler noise.Sampler, seed [2]uint32, copyNumber int, eps float32) {
	if copyNumber%2 == 1 {
		eps = -eps
	}
	for i, site := range m.Sites() {
		b := slot(m, site.B)
		z := make([]float32, len(b))
		sampler.Fill(z, seed, site.ID, uint32(copyNumber/2), 0)
		for e := range b {
			b[e] = start[i][e] + float32(eps*z[e])
		}
	}
}

// examples draws ragged examples: candidates of 1 to 4 answer tokens behind
// prefixes of 1 to 6, so that some sequences are a single token.
func examples(random *rand.Rand, vocab, count, candidates int) []data.Example {
	list := make([]data.Example, count)
	for i := range list {
		prefix := make([]int32, 1+random.IntN(6))
		if i == 0 {
			prefix = prefix[:1]
		}
		for j := range prefix {
			prefix[j] = int32(random.IntN(vocab))
		}
		list[i] = data.Example{Prefix: len(prefix), Gold: random.IntN(candidates)}
		for range candidates {
			ids := append([]int32(nil), prefix...)
			for range 1 + random.IntN(4)*min(i, 1) {
				ids = append(ids, int32(random.IntN(vocab)))
			}
			list[i].Candidates = append(list[i].Candidates, ids)
		}
	}
	return list
}

// all are the indices 0 … n−1.
func all(n int) []int {
	picks := make([]int, n)
	for i := range picks {
		picks[i] = i
	}
	return picks
}

// sizes are the extents of one batch for passes of the given width.
func sizes(b *data.Batch, width, queries int) op.Extents {
	return op.Extents{
		Width: width, N: len(b.Tokens), S: len(b.SeqOffsets) - 1, R: len(b.Rows),
		K: len(b.RowOffsets) - 1, G: len(b.ChoiceOffsets) - 1, Q: queries,
	}
}

// bothLosses runs one forward pass and gives the copies' losses and
// choice_losses.
func bothLosses(t testing.TB, m *train.Model, b *data.Batch, p train.Perturbation) (losses, choices []float32) {
	t.Helper()
	losses = make([]float32, p.Copies)
	if err := m.Losses(context.Background(), b, data.TokenLoss, p, losses); err != nil {
		t.Fatal(err)
	}
	method, err := m.Session().Method("losses")
	if err != nil {
		t.Fatal(err)
	}
	out, err := method.Output("choice_losses")
	if err != nil {
		t.Fatal(err)
	}
	return losses, append([]float32(nil), out.F32()[:p.Copies]...)
}

// bytesOf gives the bits of every B.
func bytesOf(m *train.Model) []byte {
	var bits []byte
	for _, site := range m.Sites() {
		for _, v := range slot(m, site.B) {
			bits = binary.LittleEndian.AppendUint32(bits, math.Float32bits(v))
		}
	}
	return bits
}

// near wants got within a relative tolerance of want.
func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s: %.9g, want %.9g to %g relative (off by %.2g)", what, got, want, tolerance, math.Abs(got-want)/math.Abs(want))
	}
}

// slot views a slot of a session without a delegate, which cannot fail.
func slot(m *train.Model, i int) []float32 {
	values, err := m.Session().WriteSlot(i)
	if err != nil {
		panic(err)
	}
	return values
}

func snapshot(all [][]float32, err error) [][]float32 {
	if err != nil {
		panic(err)
	}
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
