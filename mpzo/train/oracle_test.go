package train_test

import (
	"math"
	"testing"

	"zeroth/graph/importer"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
)

// oracle is the Llama architecture in float64, one sequence at a time and
// nothing shared with the kernels: what training differentiates.
type oracle struct {
	config importer.Config
	weight map[string][]float64
	loraA  map[string][]float64 // [r, K] by site
	loraB  map[string][]float64 // [M, r] by site
	rank   int
	scale  float64
}

// newOracle reads the weights of a toy and the LoRA of a model of it.
func newOracle(t *testing.T, checkpoint toy, m *train.Model, rank int, scale float64) *oracle {
	t.Helper()
	o := &oracle{config: checkpoint.config, weight: map[string][]float64{}, rank: rank, scale: scale}
	c := checkpoint.config
	read := func(name string, n int) {
		values := make([]float32, n)
		if err := checkpoint.ReadF32(name, values); err != nil {
			t.Fatal(err)
		}
		o.weight[name] = widen(values)
	}
	read("model.embed_tokens.weight", c.VocabSize*c.HiddenSize)
	read("model.norm.weight", c.HiddenSize)
	if !c.Tied {
		read("lm_head.weight", c.VocabSize*c.HiddenSize)
	}
	for layer := range c.Layers {
		for _, norm := range []string{"input_layernorm", "post_attention_layernorm"} {
			read(layerName(layer)+norm+".weight", c.HiddenSize)
		}
	}
	for _, site := range m.Session().Program().Sites {
		read(site.Name+".weight", site.Out*site.In)
	}
	o.take(m)
	return o
}

// take reads A and B anew.
func (o *oracle) take(m *train.Model) {
	o.loraA, o.loraB = map[string][]float64{}, map[string][]float64{}
	for _, site := range m.Sites() {
		o.loraA[site.Name] = widen(slot(m, site.A))
		o.loraB[site.Name] = widen(slot(m, site.B))
	}
}

func layerName(layer int) string { return "model.layers." + string(rune('0'+layer)) + "." }

func widen(values []float32) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

// linear is x Wᵀ + scale · (x Aᵀ) Bᵀ of one token.
func (o *oracle) linear(name string, x []float64) []float64 {
	y := product(o.weight[name+".weight"], x)
	if a, ok := o.loraA[name]; ok {
		for m, v := range product(o.loraB[name], product(a, x)) {
			y[m] += o.scale * v
		}
	}
	return y
}

// product is W x, W [M, len(x)].
func product(w, x []float64) []float64 {
	y := make([]float64, len(w)/len(x))
	for m := range y {
		for k, v := range x {
			y[m] += w[m*len(x)+k] * v
		}
	}
	return y
}

func (o *oracle) norm(name string, x []float64) []float64 {
	square := 0.0
	for _, v := range x {
		square += v * v
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v / math.Sqrt(square/float64(len(x))+o.config.NormEps) * o.weight[name+".weight"][i]
	}
	return y
}

// rotate turns the pairs of every head of x in place.
func (o *oracle) rotate(x []float64, position int) {
	D := o.config.HeadDim
	for head := 0; head < len(x); head += D {
		for i := range D / 2 {
			first, second := head+i, head+i+D/2
			if o.config.Interleaved {
				first, second = head+2*i, head+2*i+1
			}
			sin, cos := math.Sincos(float64(position) * math.Pow(o.config.RopeTheta, -2*float64(i)/float64(D)))
			x[first], x[second] = x[first]*cos-x[second]*sin, x[first]*sin+x[second]*cos
		}
	}
}

// hidden gives the final hidden state of every token of a sequence.
func (o *oracle) hidden(ids []int32) [][]float64 {
	c := o.config
	xs := make([][]float64, len(ids))
	for n, id := range ids {
		xs[n] = append([]float64(nil), o.weight["model.embed_tokens.weight"][int(id)*c.HiddenSize:][:c.HiddenSize]...)
	}
	for layer := range c.Layers {
		name := layerName(layer)
		keys, values := make([][]float64, len(xs)), make([][]float64, len(xs))
		for n, x := range xs {
			h := o.norm(name+"input_layernorm", x)
			q := o.linear(name+"self_attn.q_proj", h)
			keys[n], values[n] = o.linear(name+"self_attn.k_proj", h), o.linear(name+"self_attn.v_proj", h)
			o.rotate(q, n)
			o.rotate(keys[n], n)
			add(x, o.linear(name+"self_attn.o_proj", o.attend(q, keys[:n+1], values)))
		}
		for _, x := range xs {
			h := o.norm(name+"post_attention_layernorm", x)
			gate, up := o.linear(name+"mlp.gate_proj", h), o.linear(name+"mlp.up_proj", h)
			for i, v := range gate {
				gate[i] = v / (1 + math.Exp(-v)) * up[i]
			}
			add(x, o.linear(name+"mlp.down_proj", gate))
		}
	}
	for n := range xs {
		xs[n] = o.norm("model.norm", xs[n])
	}
	return xs
}

func add(x, y []float64) {
	for i, v := range y {
		x[i] += v
	}
}

// attend is the attention of one token over keys and values [len(keys)].
func (o *oracle) attend(q []float64, keys, values [][]float64) []float64 {
	c := o.config
	y := make([]float64, len(q))
	for head := range c.Heads {
		at, from := head*c.HeadDim, head/(c.Heads/c.KVHeads)*c.HeadDim
		total := 0.0
		sums := make([]float64, c.HeadDim)
		for t, key := range keys {
			score := 0.0
			for d := range c.HeadDim {
				score += q[at+d] * key[from+d]
			}
			weight := math.Exp(score / math.Sqrt(float64(c.HeadDim)))
			total += weight
			for d := range sums {
				sums[d] += weight * values[t][from+d]
			}
		}
		for d, v := range sums {
			y[at+d] = v / total
		}
	}
	return y
}

// loss is the mean cross-entropy over the answers' tokens.
func (o *oracle) loss(list []data.Example) float64 {
	head := o.weight["model.embed_tokens.weight"]
	if !o.config.Tied {
		head = o.weight["lm_head.weight"]
	}
	sum, count := 0.0, 0
	for _, e := range list {
		ids := e.Candidates[e.Gold]
		xs := o.hidden(ids[:len(ids)-1])
		for n := e.Prefix - 1; n < len(xs); n++ {
			logits := product(head, xs[n])
			total := 0.0
			for _, v := range logits {
				total += math.Exp(v)
			}
			sum += math.Log(total) - logits[ids[n+1]]
			count++
		}
	}
	return sum / float64(count)
}

// gradient is the central difference of the loss in every element of B, in the
// order of the model's sites.
func (o *oracle) gradient(m *train.Model, list []data.Example) []float64 {
	const step = 1e-5
	var gradient []float64
	for _, site := range m.Sites() {
		b := o.loraB[site.Name]
		for e, v := range b {
			b[e] = v + step
			plus := o.loss(list)
			b[e] = v - step
			minus := o.loss(list)
			b[e] = v
			gradient = append(gradient, (plus-minus)/(2*step))
		}
	}
	return gradient
}
