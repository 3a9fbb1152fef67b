package importer

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Names of the weights outside the layers, and, after layersName and the
// layer's number, of those within.
const (
	embedName  = "model.embed_tokens.weight"
	normName   = "model.norm.weight"
	headName   = "lm_head.weight"
	layersName = "model.layers."

	inputNormName = "input_layernorm.weight"
	queryName     = "self_attn.q_proj.weight"
	keyName       = "self_attn.k_proj.weight"
	valueName     = "self_attn.v_proj.weight"
	outputName    = "self_attn.o_proj.weight"
	postNormName  = "post_attention_layernorm.weight"
	gateName      = "mlp.gate_proj.weight"
	upName        = "mlp.up_proj.weight"
	downName      = "mlp.down_proj.weight"
)

// Weight is a weight that a model needs.
type Weight struct {
	Name  string
	Shape []int // row-major
}

// Weights yields all weights of the model from the embedding to the head.
func (c Config) Weights() iter.Seq[Weight] {
	return func(yield func(Weight) bool) {
		if !yield(Weight{embedName, c.shape(embedName)}) {
			return
		}
		for layer := range c.Layers {
			for _, suffix := range layerSuffixes() {
				if !yield(Weight{layerName(layer, suffix), c.shape(suffix)}) {
					return
				}
			}
		}
		if !yield(Weight{normName, c.shape(normName)}) {
			return
		}
		if !c.Tied {
			yield(Weight{headName, c.shape(headName)})
		}
	}
}

// layerSuffixes lists the weights of a layer in the order of their use.
func layerSuffixes() []string {
	return []string{inputNormName, queryName, keyName, valueName, outputName, postNormName, gateName, upName, downName}
}

// shape returns the shape of a weight outside the layers, or of one within
// named by its suffix; nil for any other name.
func (c Config) shape(name string) []int {
	switch name {
	case embedName, headName:
		return []int{c.VocabSize, c.HiddenSize}
	case normName, inputNormName, postNormName:
		return []int{c.HiddenSize}
	case queryName:
		return []int{c.Heads * c.HeadDim, c.HiddenSize}
	case keyName, valueName:
		return []int{c.KVHeads * c.HeadDim, c.HiddenSize}
	case outputName:
		return []int{c.HiddenSize, c.Heads * c.HeadDim}
	case gateName, upName:
		return []int{c.IntermediateSize, c.HiddenSize}
	case downName:
		return []int{c.HiddenSize, c.IntermediateSize}
	}
	return nil
}

func layerName(layer int, suffix string) string {
	return layersName + strconv.Itoa(layer) + "." + suffix
}

// splitName takes the name of a layer's weight apart. Names of other weights
// come back whole, with layer −1.
func splitName(name string) (layer int, suffix string) {
	rest, found := strings.CutPrefix(name, layersName)
	if !found {
		return -1, name
	}
	number, suffix, _ := strings.Cut(rest, ".")
	layer, err := strconv.Atoi(number)
	if err != nil || strconv.Itoa(layer) != number || layer < 0 { // no "+1", no "01"
		return -1, name
	}
	return layer, suffix
}

// needs says whether name is one of c.Weights.
func (c Config) needs(name string) bool {
	layer, suffix := splitName(name)
	if layer >= 0 {
		return layer < c.Layers && slices.Contains(layerSuffixes(), suffix)
	}
	return name == embedName || name == normName || name == headName && !c.Tied
}

// weightNames collects the names of c.Weights.
func (c Config) weightNames() []string {
	var names []string
	for weight := range c.Weights() {
		names = append(names, weight.Name)
	}
	return names
}

// Validate checks that c has every weight its Config asks for, in the right
// shape and a dtype that ReadF32 converts. [Open] has done so already.
func Validate(c Checkpoint) error {
	config := c.Config()
	for weight := range config.Weights() {
		info, err := c.Tensor(weight.Name)
		if err != nil {
			return fmt.Errorf("tensor %q: missing, want shape %v for the %d layers that the config names: fetch the checkpoint again, or correct its config: %w: %w",
				weight.Name, weight.Shape, config.Layers, ErrInvalid, err)
		}
		if !slices.Equal(info.Shape, weight.Shape) {
			return fmt.Errorf("tensor %q: found shape %v, want %v by the config: is the config that of another model? %w",
				weight.Name, info.Shape, weight.Shape, ErrInvalid)
		}
		switch info.DType {
		case "F32", "F16", "BF16", "F64", quantisedDType:
		default:
			return fmt.Errorf("tensor %q: dtype %s, want F32, F16, BF16 or F64: export the model unquantised: %w",
				weight.Name, info.DType, ErrUnsupported)
		}
	}
	return nil
}

// elements returns the product of a shape that Config.check has bounded.
func elements(shape []int) int64 {
	product := int64(1)
	for _, dim := range shape {
		product *= int64(dim)
	}
	return product
}
