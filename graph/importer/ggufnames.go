package importer

import "zeroth/internal/gguf"

const (
	ggufEmbedding   = "token_embd.weight"
	ggufHead        = "output.weight"
	ggufFrequencies = "rope_freqs.weight"
)

// ggufTensors tells which weight of a model a tensor is.
type ggufTensors struct {
	gguf.Names
	config Config
	form   family
	needed map[string]bool // names of weights, those of a layer without its number
}

func newGGUFTensors(c Config) ggufTensors {
	t := ggufTensors{config: c, needed: make(map[string]bool)}
	t.Names, _ = gguf.NamesOf(c.Architecture)
	t.form, _ = familyOf(c.Architecture)
	all := t.form.layout(c)
	for _, weights := range [][]Weight{all.first, all.layer, all.last} {
		for _, weight := range weights {
			t.needed[weight.Name] = true
		}
	}
	return t
}

// weight returns the model's weight that a tensor is, and whether there is one.
func (t ggufTensors) weight(tensor string) (string, bool) {
	name, known := t.Weight(tensor)
	layer, rest := splitName(t.form.layers, name)
	return name, known && layer < t.config.Layers && t.needed[rest]
}

// stored returns the file's name of a weight.
func (t ggufTensors) stored(weight string) string {
	tensor, _ := t.Tensor(weight)
	return tensor
}
