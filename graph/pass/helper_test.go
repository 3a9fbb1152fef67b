package pass_test

import (
	"math"
	"strings"
	"testing"

	"zeroth/graph"
	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/graph/modeltest"
	"zeroth/runtime/program"
)

// waves is a checkpoint whose weights are waves.
type waves importer.Config

func (w waves) Config() importer.Config { return importer.Config(w) }

func (w waves) ReadF32(name string, dst []float32) error {
	for i := range dst {
		dst[i] = float32(math.Sin(float64(len(name)) + 1.3*float64(i)))
	}
	return nil
}

func (w waves) ReadRows(name string, first int, dst []float32) error {
	return modeltest.ReadRows(importer.Config(w), w.ReadF32, name, first, dst)
}

func threeLayers() waves {
	return waves{
		Architecture: "llama", HiddenSize: 8, IntermediateSize: 12, Layers: 3, Heads: 4, KVHeads: 2, HeadDim: 2,
		VocabSize: 11, MaxPositions: 8, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
	}
}

func llama(t *testing.T) *graph.Module {
	t.Helper()
	m, err := model.Build(threeLayers(), model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// listing is all that a module's methods say, and its slots, sites and metadata.
func listing(t *testing.T, m *graph.Module) string {
	t.Helper()
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.VerifyStructure(p); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, g := range m.Methods {
		text.WriteString(g.String())
	}
	for _, s := range p.Slots {
		text.WriteString("slot " + s.Name + " " + s.Type.String() + "\n")
	}
	for _, s := range p.Sites {
		if s.A >= 0 {
			text.WriteString("site " + s.Name + "\n")
		}
	}
	for _, meta := range p.Meta {
		text.WriteString(meta.Key + "=" + meta.Value + "\n")
	}
	return text.String()
}
