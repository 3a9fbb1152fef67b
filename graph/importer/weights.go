package importer

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// headName is the output head where it is a matrix of its own.
const headName = "lm_head.weight"

// Weight is a weight that a model needs.
type Weight struct {
	Name  string
	Shape []int // row-major; matrices are [outputs, inputs]
}

// Weights yields all weights of the model from the embedding to the head.
func (c Config) Weights() iter.Seq[Weight] {
	return func(yield func(Weight) bool) {
		f, known := familyOf(c.Architecture)
		if !known {
			return
		}
		all := f.layout(c)
		for _, weight := range all.first {
			if !yield(weight) {
				return
			}
		}
		for layer := range c.Layers {
			for _, weight := range all.layer {
				if !yield(Weight{f.layers + strconv.Itoa(layer) + "." + weight.Name, weight.Shape}) {
					return
				}
			}
		}
		for _, weight := range all.last {
			if !yield(weight) {
				return
			}
		}
	}
}

// splitName takes the name of a layer's weight apart, layers being what stands
// before the number. Names of other weights come back whole, with layer −1.
func splitName(layers, name string) (layer int, suffix string) {
	rest, found := strings.CutPrefix(name, layers)
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
		case "F32", "F16", "BF16", "F64", quantisedDType,
			"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K":
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

// checkRows checks that rows from first on, count elements in all, are whole ones
// of the shape, and returns the elements of a row.
func checkRows(name string, shape []int, first, count int) (rowLength int, err error) {
	rowLength = int(elements(shape[1:]))
	if first < 0 || first > shape[0] || count%rowLength != 0 || count/rowLength > shape[0]-first {
		return 0, fmt.Errorf("tensor %q: %d elements from row %d: want whole rows of shape %v: %w", name, count, first, shape, ErrArgument)
	}
	return rowLength, nil
}

// readWhole is a checkpoint's ReadF32.
func readWhole(c Checkpoint, name string, dst []float32) error {
	info, err := c.Tensor(name)
	if err != nil {
		return err
	}
	if int64(len(dst)) != elements(info.Shape) {
		return fmt.Errorf("tensor %q: buffer for %d elements, shape %v: %w", name, len(dst), info.Shape, ErrArgument)
	}
	return c.ReadRows(name, 0, dst)
}

// normWeights are the scale and bias of a LayerNorm.
func normWeights(name string, size int) []Weight {
	return []Weight{{name + ".weight", []int{size}}, {name + ".bias", []int{size}}}
}

// linearWeights are the matrix and bias of a linear layer.
func linearWeights(name string, out, in int) []Weight {
	return []Weight{{name + ".weight", []int{out, in}}, {name + ".bias", []int{out}}}
}
