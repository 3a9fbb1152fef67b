package gguf

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Tensor is one row of a file's tensor table.
type Tensor struct {
	Name   string
	Shape  []int // row-major: the last dimension is the fastest, at most 4; [] is a scalar
	Type   Type
	Offset int64 // bytes from the start of the file
	Bytes  int64
}

// Elements returns the product of the dimensions, at least 1.
func (t Tensor) Elements() int64 {
	product := int64(1)
	for _, dim := range t.Shape {
		product *= int64(dim)
	}
	return product
}

// parseTensors reads the table. Offsets are still counted from the start of
// the data, whose place is known only at the end of the table: see placeTensors.
func parseTensors(s *scanner, count int) ([]Tensor, error) {
	tensors := make([]Tensor, count)
	for i := range tensors {
		name, err := s.name(maxNameBytes)
		if err != nil {
			return nil, fmt.Errorf("tensor %d: name: %w", i, err)
		}
		if tensors[i], err = parseTensor(s); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors[i].Name = name
	}
	return tensors, nil
}

func parseTensor(s *scanner) (Tensor, error) {
	rank, err := s.uint32()
	if err != nil {
		return Tensor{}, err
	}
	if rank > maxRank {
		return Tensor{}, fmt.Errorf("%d dimensions, at most %d are allowed: %w", rank, maxRank, ErrInvalid)
	}
	shape := make([]int, rank)
	for i := range shape {
		dim, err := s.uint64()
		if err != nil {
			return Tensor{}, err
		}
		if dim == 0 || dim > math.MaxInt {
			return Tensor{}, fmt.Errorf("dimension %d is %d, want 1 to %d: %w", i, dim, math.MaxInt, ErrInvalid)
		}
		shape[len(shape)-1-i] = int(dim) // the file has the fastest first
	}
	number, err := s.uint32()
	if err != nil {
		return Tensor{}, err
	}
	bytes, err := tensorBytes(shape, Type(number))
	if err != nil {
		return Tensor{}, fmt.Errorf("%w: %w", err, ErrInvalid)
	}
	offset, err := s.uint64()
	if err != nil {
		return Tensor{}, err
	}
	if offset > math.MaxInt64 {
		return Tensor{}, fmt.Errorf("offset %d is outside the file: %w", offset, ErrInvalid)
	}
	return Tensor{Shape: shape, Type: Type(number), Offset: int64(offset), Bytes: bytes}, nil
}

// tensorBytes returns the bytes that a tensor of positive dimensions takes.
// A row must be whole blocks.
func tensorBytes(shape []int, t Type) (int64, error) {
	block, found := layoutOf(t)
	if !found {
		return 0, fmt.Errorf("%v is none that GGUF has", t)
	}
	row := 1
	if len(shape) > 0 {
		row = shape[len(shape)-1]
	}
	if row%block.elements != 0 {
		return 0, fmt.Errorf("rows of %d elements are not whole blocks of %d, as %v needs", row, block.elements, t)
	}
	elements, ok := uint64(1), true
	for _, dim := range shape {
		if elements, ok = product(elements, uint64(dim)); !ok {
			return 0, fmt.Errorf("shape %v has too many elements", shape)
		}
	}
	bytes, ok := product(elements/uint64(block.elements), uint64(block.bytes))
	if !ok {
		return 0, fmt.Errorf("shape %v of %v has too many bytes", shape, t)
	}
	return int64(bytes), nil
}

// product multiplies, or returns false where the result leaves int64.
func product(a, b uint64) (uint64, bool) {
	high, low := bits.Mul64(a, b)
	return low, high == 0 && low <= math.MaxInt64
}

// placeTensors turns offsets into places in a file of size bytes whose data
// begin at dataStart, and refuses tensors that are not aligned, that leave the
// file or that share bytes. Gaps are allowed.
func placeTensors(tensors []Tensor, dataStart, size, alignment int64) error {
	if len(tensors) > 0 && dataStart > size {
		return fmt.Errorf("data would begin at %d, the file has %d bytes: %w", dataStart, size, ErrInvalid)
	}
	for i := range tensors {
		tensor := &tensors[i]
		if tensor.Offset%alignment != 0 {
			return fmt.Errorf("tensor %q: offset %d is no multiple of %d: %w", tensor.Name, tensor.Offset, alignment, ErrInvalid)
		}
		if data := size - dataStart; tensor.Bytes > data-tensor.Offset {
			return fmt.Errorf("tensor %q: %d bytes at %d, the data have %d: %w", tensor.Name, tensor.Bytes, tensor.Offset, data, ErrInvalid)
		}
		tensor.Offset += dataStart
	}
	order := make([]int32, len(tensors))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(tensors[a].Offset, tensors[b].Offset) })
	for i := 1; i < len(order); i++ {
		before, after := tensors[order[i-1]], tensors[order[i]]
		if before.Offset+before.Bytes > after.Offset {
			return fmt.Errorf("tensor %q overlaps tensor %q at byte %d: %w", before.Name, after.Name, after.Offset, ErrInvalid)
		}
	}
	return nil
}
