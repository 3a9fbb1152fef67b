package importer

import (
	"slices"
	"strings"
)

// family is how the checkpoints of an architecture look.
type family struct {
	classes []string // what config.json may name as architectures
	// stem begins the names of all weights but the head's. A checkpoint of the
	// part below the head leaves it out, or its first words.
	stem   string
	layers string // begins the names of a layer's weights, its number follows
	parse  func(f *fields) (Config, error)
	layout func(c Config) layout
	// transposed says which weights of a layer are stored as [inputs, outputs].
	transposed []string
	// unneeded says which tensors may be passed over: what follows from others.
	unneeded func(c Config, name string) bool
	// spellings are other names of weights, by which they go where they are
	// not stored under their own.
	spellings map[string]string
}

// layout lists the weights of a model.
type layout struct {
	first []Weight // before the layers
	layer []Weight // of each layer; Name is what follows the layer's number
	last  []Weight // behind the layers
}

// familyOf returns the family of an architecture, as model_type calls it.
func familyOf(architecture string) (family, bool) {
	switch architecture {
	case "llama", "qwen2", "qwen3":
		return llamaFamily(architecture), true
	case "gpt2":
		return gpt2Family(), true
	case "opt":
		return optFamily(), true
	case "roberta":
		return robertaFamily(), true
	}
	return family{}, false
}

const headStem = "lm_head."

// fullName completes the name of a weight from a checkpoint that may lack the
// stem, or its first words.
func (f family) fullName(name string) string {
	if strings.HasPrefix(name, headStem) {
		return name
	}
	rest := f.stem
	for rest != "" && !strings.HasPrefix(name, rest) {
		_, rest, _ = strings.Cut(rest, ".")
	}
	return strings.TrimSuffix(f.stem, rest) + name
}

// isTransposed says whether a weight is stored as [inputs, outputs].
func (f family) isTransposed(name string) bool {
	if len(f.transposed) == 0 {
		return false
	}
	layer, suffix := splitName(f.layers, name)
	return layer >= 0 && slices.Contains(f.transposed, suffix)
}

// tiedHead passes over a stored head that is the embedding.
func tiedHead(c Config, name string) bool { return c.Tied && name == headName }
