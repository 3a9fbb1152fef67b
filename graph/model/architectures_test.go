package model_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zeroth/graph"
	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/graph/pass"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// small is a model of each architecture and variant, of two layers.
func small() map[string]waves {
	rotary := waves{
		HiddenSize: 12, IntermediateSize: 20, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 6, VocabSize: 19, MaxPositions: 16,
		NormEps: 1e-5, RopeTheta: 10000, Tied: true, BOS: 1, EOS: 2,
	}
	learned := waves{
		HiddenSize: 12, IntermediateSize: 20, Layers: 2, Heads: 3, KVHeads: 3, HeadDim: 4, VocabSize: 19, MaxPositions: 16,
		NormEps: 1e-5, Activation: importer.GELUTanh, Tied: true, BOS: 1, EOS: 2,
	}
	vary := func(w waves, change func(*waves)) waves {
		change(&w)
		return w
	}
	opt := vary(learned, func(w *waves) {
		w.Architecture, w.Activation, w.PositionOffset, w.EmbeddingSize, w.FinalNorm = "opt", importer.ReLU, 2, 12, true
	})
	return map[string]waves{
		"llama":   vary(rotary, func(w *waves) { w.Architecture = "llama" }),
		"qwen2":   vary(rotary, func(w *waves) { w.Architecture, w.QKVBias = "qwen2", true }),
		"qwen3":   vary(rotary, func(w *waves) { w.Architecture, w.HeadNorm, w.Tied = "qwen3", true, false }),
		"gpt2":    vary(learned, func(w *waves) { w.Architecture = "gpt2" }),
		"opt":     opt,
		"opt350m": vary(opt, func(w *waves) { w.PostNorm, w.FinalNorm, w.EmbeddingSize = true, false, 8 }),
		"roberta": vary(learned, func(w *waves) {
			w.Architecture, w.Activation, w.PositionOffset, w.TokenTypes = "roberta", importer.GELU, 2, 2
		}),
	}
}

// Names and shapes of the sites are those of Hugging Face's modules.
func TestSites(t *testing.T) {
	for name, want := range map[string]string{
		"llama": `model.layers.1.self_attn.q_proj q [24 12]; model.layers.1.self_attn.k_proj k [12 12]; model.layers.1.self_attn.v_proj v [12 12];
			model.layers.1.self_attn.o_proj o [12 24]; model.layers.1.mlp.gate_proj gate [20 12]; model.layers.1.mlp.up_proj up [20 12]; model.layers.1.mlp.down_proj down [12 20]`,
		"gpt2": `transformer.h.1.attn.c_attn qkv [36 12]; transformer.h.1.attn.c_proj o [12 12]; transformer.h.1.mlp.c_fc fc1 [20 12]; transformer.h.1.mlp.c_proj fc2 [12 20]`,
		"opt350m": `model.decoder.layers.1.self_attn.q_proj q [12 12]; model.decoder.layers.1.self_attn.k_proj k [12 12]; model.decoder.layers.1.self_attn.v_proj v [12 12];
			model.decoder.layers.1.self_attn.out_proj o [12 12]; model.decoder.layers.1.fc1 fc1 [20 12]; model.decoder.layers.1.fc2 fc2 [12 20]`,
		"roberta": `roberta.encoder.layer.1.attention.self.query q [12 12]; roberta.encoder.layer.1.attention.self.key k [12 12];
			roberta.encoder.layer.1.attention.self.value v [12 12]; roberta.encoder.layer.1.attention.output.dense o [12 12];
			roberta.encoder.layer.1.intermediate.dense fc1 [20 12]; roberta.encoder.layer.1.output.dense fc2 [12 20]`,
	} {
		m := modelOf(t, small()[name], nil)
		var list []string
		for i, s := range m.Sites {
			if s.ID != uint32(i) {
				t.Errorf("%s: site %s has id %d, want %d", name, s.Name, s.ID, i)
			}
			if s.Layer == 1 {
				list = append(list, fmt.Sprintf("%s %s [%d %d]", s.Name, s.Module, s.Out, s.In))
			}
		}
		if got := strings.Join(list, "; "); got != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Every site names a linear node of both methods.
func TestEverySiteIsANode(t *testing.T) {
	for name, w := range small() {
		m := modelOf(t, w, nil)
		if len(m.Sites) == 0 {
			t.Errorf("%s has no sites", name)
		}
		for _, s := range m.Sites {
			for _, method := range []string{"forward", "losses"} {
				if !slices.ContainsFunc(m.Method(method).Nodes, func(n *graph.Node) bool { return n.Name == s.Name && n.Op == op.Linear }) {
					t.Errorf("%s: %s has no linear node %s", name, method, s.Name)
				}
			}
		}
	}
}

func TestMetadata(t *testing.T) {
	for name, w := range small() {
		m := modelOf(t, w, nil)
		for key, want := range map[string]string{
			"arch": w.Architecture, "layers": "2", "hidden_size": "12", "intermediate_size": "20", "vocab_size": "19", "context": "16",
			"bos_id": "1", "eos_id": "2", "head_dim": fmt.Sprint(w.HeadDim), "heads": fmt.Sprint(w.Heads), "kv_heads": fmt.Sprint(w.KVHeads),
			"rope.interleaved": "false", "mean_choices": "false", "tied": fmt.Sprint(w.Tied), "causal": fmt.Sprint(w.Architecture != "roberta"),
		} {
			if m.Meta[key] != want {
				t.Errorf("%s: metadata %s is %q, want %q", name, key, m.Meta[key], want)
			}
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	unknown, long := small()["llama"], small()["gpt2"]
	unknown.Architecture = "mamba"
	for _, c := range []struct {
		weights waves
		context int
		says    string
	}{
		{unknown, 0, `no builder for architecture "mamba"`},
		{long, 17, "context 17: the model has learned 16 positions"},
	} {
		if _, err := model.Build(c.weights, model.Options{Context: c.context}); !errors.Is(err, model.ErrModel) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
}

// Only what the chosen rows need is computed behind the last attention, and
// that changes no result; widths begin at the first site.
func TestEveryArchitectureComputesRowsOnly(t *testing.T) {
	for name, w := range small() {
		t.Run(name, func(t *testing.T) {
			lora := pass.LoRA{Rank: 2, Alpha: 4, Sampler: noise.Gaussian}
			early, late := modelOf(t, w, &lora), modelOf(t, w, &lora)
			lateGathers(t, late)
			for _, method := range []string{"forward", "losses"} {
				g := early.Method(method)
				last := 0
				for i, n := range g.Nodes {
					if n.Op == op.Attention {
						last = i
					}
				}
				for _, n := range g.Nodes[last+1:] {
					if shape := n.Out[0].Type.Shape; len(shape) > 0 && shape[0] != op.S(op.LossRows, 0) {
						t.Errorf("%s: %s %s is %s, want R rows", method, n.Op, n.Name, n.Out[0].Type)
					}
				}
				want, got := run(t, late, method), run(t, early, method)
				for output := range want {
					if !slices.Equal(got[output], want[output]) {
						t.Errorf("%s: %s: %v, without hoisting %v", method, output, got[output], want[output])
					}
				}
			}
			p, err := early.Lower()
			if err != nil {
				t.Fatal(err)
			}
			checkWidth(t, p.Method("losses"), early.Sites[0].Name)
		})
	}
}

// A token of a causal model sees what precedes it in its sequence, one of a
// bidirectional model all of its sequence; neither sees another sequence.
func TestWhatATokenSees(t *testing.T) {
	for name, w := range small() {
		logits := func(ids []int32) []float32 { return run1(t, w, ids) }
		one, other := logits([]int32{1, 5, 3, 8, 2}), logits([]int32{1, 5, 3, 8, 7})
		same := slices.Equal(one[:19], other[:19])
		if causal := w.Architecture != "roberta"; same != causal {
			t.Errorf("%s: the first token's logits stay when the last token changes: %v", name, same)
		}
		if slices.Equal(one[4*19:], other[4*19:]) {
			t.Errorf("%s: the last token's logits do not depend on it", name)
		}
	}
}

// The frequencies are those of transformers' modeling_rope_utils: by
// wavelength, where the model goes by turns.
func TestRopeScaling(t *testing.T) {
	for _, scaling := range []importer.RopeScaling{
		{},
		{Kind: importer.RopeLinear, Factor: 4},
		{Kind: importer.RopeLlama3, Factor: 8, LowFactor: 1, HighFactor: 4, OriginalPositions: 64},
		{Kind: importer.RopeLlama3, Factor: 32, LowFactor: 1, HighFactor: 4, OriginalPositions: 8192},
	} {
		w := small()["llama"]
		w.HeadDim, w.RopeTheta, w.Rope = 64, 500000, scaling
		m := modelOf(t, w, nil)
		at := slices.IndexFunc(m.Constants, func(c *graph.Constant) bool { return c.Name == "rotary.sin" })
		sines := floats(m.Constants[at].Data)
		kinds := make(map[string]bool)
		for i := range 32 {
			f := 1 / math.Pow(500000, float64(2*i)/64)
			switch wave := 2 * math.Pi / f; {
			case scaling.Kind == importer.RopeLinear:
				f /= 4
			case scaling.Kind == importer.RopeLlama3:
				original := float64(scaling.OriginalPositions)
				switch {
				case wave > original/scaling.LowFactor:
					f /= scaling.Factor
					kinds["low"] = true
				case wave > original/scaling.HighFactor:
					smooth := (original/wave - scaling.LowFactor) / (scaling.HighFactor - scaling.LowFactor)
					f = (1-smooth)*f/scaling.Factor + smooth*f
					kinds["between"] = true
				default:
					kinds["high"] = true
				}
			}
			if got, want := float64(sines[5*32+i]), math.Sin(5*f); math.Abs(got-want) > 1e-7 {
				t.Errorf("%+v: pair %d: sine %g, want %g", scaling, i, got, want)
			}
		}
		if scaling.Kind == importer.RopeLlama3 && len(kinds) != 3 {
			t.Errorf("%+v: only %v frequencies were tried", scaling, kinds)
		}
	}
}

// The loss of a row is minus the log-probability that its logits give its label.
func TestLossesFollowFromLogits(t *testing.T) {
	labels := []int32{4, 11, 0, 18, 6} // those that feed gives
	for name, w := range small() {
		m := modelOf(t, w, nil)
		logits, nll := run(t, m, "forward")["logits"], run(t, m, "losses")["nll"]
		for r, label := range labels {
			sum := 0.0
			for _, l := range logits[r*19 : (r+1)*19] {
				sum += math.Exp(float64(l))
			}
			if want := math.Log(sum) - float64(logits[r*19+int(label)]); math.Abs(float64(nll[r])-want) > 1e-5 {
				t.Errorf("%s: loss of row %d is %g, want %g", name, r, nll[r], want)
			}
		}
	}
}
