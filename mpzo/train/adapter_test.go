package train_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"zeroth/graph/pass"
	"zeroth/mpzo/adapter"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// An adapter taken out, written, read and put back is the same bits, in both
// rotary pairings.
func TestAdapterRoundTrip(t *testing.T) {
	for _, interleaved := range []bool{false, true} {
		config := toyConfig()
		config.Interleaved = interleaved
		p := link(t, build(t, toy{config, 2}), gaussianLoRA(3))
		m := bind(t, p, backends(t)["ref"], op.Extents{Q: 1}, 1)
		must(t, m.Init(4))
		disturb(m, 5)
		want := bytesOf(m)
		a, err := m.Adapter()
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(t.TempDir(), "adapter")
		if err := adapter.Write(folder, a); err != nil {
			t.Fatal(err)
		}
		if a, err = adapter.Read(folder); err != nil {
			t.Fatal(err)
		}
		loraA := slices.Clone(slot(m, m.Sites()[0].A))
		must(t, m.Init(77))
		if err := m.SetAdapter(a); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(bytesOf(m), want) || !slices.Equal(slot(m, m.Sites()[0].A), loraA) {
			t.Errorf("interleaved %t: the adapter comes back with other bits", interleaved)
		}
	}
}

// The two forms of one checkpoint take one adapter to the same losses, and an
// adapter taken from the one serves the other.
func TestAdapterMovesBetweenForms(t *testing.T) {
	lora := pass.LoRA{Rank: 2, Alpha: 6, Sampler: noise.Gaussian, Layers: []int{1, 4}}
	var b data.Batch
	list := []data.Example{{Candidates: [][]int32{{1, 403, 407, 261, 378, 432}}, Prefix: 1}}
	if err := b.PackTokens(list, []int{0}); err != nil {
		t.Fatal(err)
	}
	var models []*train.Model
	for _, source := range []string{"stories260K", "stories260K/stories260K.bin"} {
		m := bind(t, link(t, checkpoint(t, source), lora), backends(t)["cpu"], sizes(&b, 1, 1), 1)
		must(t, m.Init(4))
		models = append(models, m)
	}
	disturb(models[1], 5) // the llama2.c form
	a, err := models[1].Adapter()
	if err != nil {
		t.Fatal(err)
	}
	bare, _ := bothLosses(t, models[0], &b, train.None)
	if err := models[0].SetAdapter(a); err != nil {
		t.Fatal(err)
	}
	have, _ := bothLosses(t, models[0], &b, train.None)
	want, _ := bothLosses(t, models[1], &b, train.None)
	near(t, "loss of the other form", float64(have[0]), float64(want[0]), 1e-5)
	if bare[0] == have[0] {
		t.Error("the adapter changes nothing")
	}
}

func TestSetAdapterRefuses(t *testing.T) {
	p := link(t, build(t, toy{toyConfig(), 2}), gaussianLoRA(3))
	m := bind(t, p, backends(t)["ref"], op.Extents{Q: 1}, 1)
	must(t, m.Init(4))
	disturb(m, 5)
	want := bytesOf(m)
	for name, spoil := range map[string]func(*adapter.Adapter){
		"rank":          func(a *adapter.Adapter) { a.Rank = 4 },
		"alpha":         func(a *adapter.Adapter) { a.Alpha *= 1.01 },
		"another shape": func(a *adapter.Adapter) { a.Sites[2].Out++ },
		"another model": func(a *adapter.Adapter) { a.Sites[2].Module = "model.layers.9.mlp.up_proj" },
	} {
		a, err := m.Adapter()
		if err != nil {
			t.Fatal(err)
		}
		spoil(a)
		if err := m.SetAdapter(a); !errors.Is(err, train.ErrAdapter) {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(bytesOf(m), want) {
			t.Errorf("%s: a refused adapter changed the model", name)
		}
	}
	a, err := m.Adapter()
	if err != nil {
		t.Fatal(err)
	}
	a.Sites, a.A, a.B = a.Sites[1:], a.A[1:], a.B[1:]
	if err := m.SetAdapter(a); err != nil {
		t.Fatal(err)
	}
	if b := slot(m, m.Sites()[0].B); slices.ContainsFunc(b, func(v float32) bool { return v != 0 }) {
		t.Error("a site that the adapter lacks keeps its B")
	}
}
