// Package modeltest helps tests that make the weights of a model up.
package modeltest

import "zeroth/graph/importer"

// ReadRows is ReadRows of model.Weights for a checkpoint whose tensors can only
// be made as a whole, by read.
func ReadRows(c importer.Config, read func(name string, dst []float32) error, name string, first int, dst []float32) error {
	for weight := range c.Weights() {
		if weight.Name != name {
			continue
		}
		rowLength := 1
		for _, n := range weight.Shape[1:] {
			rowLength *= n
		}
		whole := make([]float32, weight.Shape[0]*rowLength)
		err := read(name, whole)
		copy(dst, whole[first*rowLength:])
		return err
	}
	return importer.ErrNotFound
}
