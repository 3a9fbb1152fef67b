package adapter

import "fmt"

// Rotary embeddings turn pairs of a head's D rows. llama2.c pairs neighbours, 2i
// and 2i+1 (interleaved); Hugging Face pairs i with i + D/2 (halves). Moving the
// rows of q_proj and k_proj, and of their LoRA B alike, from one order to the
// other leaves every attention score as it was:
//
//	half[i]       = interleaved[2i]      for i < D/2
//	half[i + D/2] = interleaved[2i + 1]

// InterleavedToHalf returns rows in Hugging Face's order from llama2.c's. rows is
// [heads·headDim, columns] row-major, for a LoRA B with columns = r; it is left
// as it is.
func InterleavedToHalf(rows []float32, columns, headDim int) ([]float32, error) {
	return reorder(rows, columns, headDim, func(half, interleaved int) (to, from int) { return half, interleaved })
}

// HalfToInterleaved is the inverse of InterleavedToHalf.
func HalfToInterleaved(rows []float32, columns, headDim int) ([]float32, error) {
	return reorder(rows, columns, headDim, func(half, interleaved int) (to, from int) { return interleaved, half })
}

// reorder copies each row of each head from where direction says to where it
// says.
func reorder(rows []float32, columns, headDim int, direction func(half, interleaved int) (to, from int)) ([]float32, error) {
	if columns < 1 || headDim < 2 || headDim%2 != 0 {
		return nil, fmt.Errorf("adapter: rows of %d columns in heads of %d, must be at least 1 and even: %w", columns, headDim, ErrArgument)
	}
	if len(rows)%columns != 0 || len(rows)/columns%headDim != 0 {
		return nil, fmt.Errorf("adapter: %d values are no whole heads of [%d, %d]: %w", len(rows), headDim, columns, ErrArgument)
	}
	out := make([]float32, len(rows))
	for head := 0; head < len(rows)/columns; head += headDim {
		for i := range headDim / 2 {
			for odd := range 2 {
				to, from := direction(i+odd*headDim/2, 2*i+odd)
				copy(out[(head+to)*columns:][:columns], rows[(head+from)*columns:])
			}
		}
	}
	return out, nil
}
