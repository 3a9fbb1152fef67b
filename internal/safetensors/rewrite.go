package safetensors

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"zeroth/internal/readat"
)

// Change alters a piece of a row of a matrix: values are the elements from
// [row, column] on.
type Change func(row, column int, values []float64)

// Rewrite writes the file to w with the named F32, F16, BF16 or F64 matrices
// changed: each element is read exactly and rounded back to the matrix's own
// dtype, ties to even (F16 and BF16 by way of float32). The header and all other
// bytes are those of the file. It reads through a buffer of bounded size. A
// finite value that a Change makes too large for the dtype is an error. Errors
// wrap [ErrNotFound], [ErrDType] or [ErrArgument], or are those of the source and
// of w.
func (f *File) Rewrite(w io.Writer, changes map[string]Change) error {
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		tensor, found := f.Lookup(name)
		switch {
		case !found:
			return fmt.Errorf("tensor %q: %w", name, ErrNotFound)
		case len(tensor.Shape) != 2:
			return fmt.Errorf("tensor %q: shape %v is no matrix: %w", name, tensor.Shape, ErrArgument)
		case tensor.DType != F32 && tensor.DType != F16 && tensor.DType != BF16 && tensor.DType != F64:
			return fmt.Errorf("tensor %q: %s: %w", name, tensor.DType, ErrDType)
		}
	}
	position := int64(0)
	for _, tensor := range f.tensors {
		change, changed := changes[tensor.Name]
		if !changed {
			continue
		}
		if err := f.copyRange(w, position, tensor.Offset); err != nil {
			return err
		}
		if err := f.rewriteTensor(w, tensor, change); err != nil {
			return fmt.Errorf("tensor %q: %w", tensor.Name, err)
		}
		position = tensor.Offset + tensor.Bytes
	}
	return f.copyRange(w, position, f.size)
}

func (f *File) copyRange(w io.Writer, from, to int64) error {
	_, err := io.CopyN(w, io.NewSectionReader(f.source, from, to-from), to-from)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the file has shrunk
	}
	return err
}

func (f *File) rewriteTensor(w io.Writer, tensor Tensor, change Change) error {
	_, elementBits := dtypeBits(tensor.DType)
	size, columns := elementBits/8, int64(tensor.Shape[1])
	raw := make([]byte, min(chunkBytes, tensor.Bytes))
	values, before := make([]float64, int64(len(raw))/size), make([]float64, int64(len(raw))/size)
	for first, all := int64(0), tensor.Bytes/size; first < all; first += int64(len(values)) {
		values = values[:min(int64(len(values)), all-first)]
		chunk := raw[:int64(len(values))*size]
		if err := readat.Full(f.source, chunk, tensor.Offset+first*size); err != nil {
			return err
		}
		decode(values, chunk, tensor.DType)
		copy(before, values)
		for done := int64(0); done < int64(len(values)); {
			row, column := (first+done)/columns, (first+done)%columns
			count := min(columns-column, int64(len(values))-done)
			change(int(row), int(column), values[done:done+count])
			done += count
		}
		chunk = encode(chunk[:0], values, tensor.DType)
		decode(values, chunk, tensor.DType)
		for i, value := range values {
			if isFinite(before[i]) && !isFinite(value) {
				element := first + int64(i)
				return fmt.Errorf("element [%d, %d], %g, becomes too large for %s or no number: %w",
					element/columns, element%columns, before[i], tensor.DType, ErrArgument)
			}
		}
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

func isFinite(value float64) bool { return !math.IsInf(value, 0) && !math.IsNaN(value) }
