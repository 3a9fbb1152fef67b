package safetensors

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits on what a header may claim. The first is the format's own; the
// others are far above any file seen and keep the memory that a header can
// ask for near its own size.
const (
	maxHeaderBytes = 100_000_000
	maxTensors     = 1 << 17
	maxMetadata    = 1 << 12
	maxNameBytes   = 1024
	maxRank        = 16
	minEntryBytes  = 50 // of header text that the shortest tensor takes
)

const metadataKey = "__metadata__"

// Tensor says where one tensor lies and what it is.
type Tensor struct {
	Name   string
	DType  string // the format's spelling: "F32", "BF16", "I64", …
	Shape  []int  // row-major; empty for a scalar. Not to be written to.
	Offset int64  // of the first byte, from the start of the file
	Bytes  int64
}

// Elements returns the product of the shape, which a [File] has checked.
func (t Tensor) Elements() int64 {
	elements, _ := elementCount(t.Shape)
	return elements
}

// parseHeader reads the JSON header of a file whose data begin at dataStart
// and are dataBytes long, and returns its tensors in the order of their bytes.
func parseHeader(header []byte, dataStart, dataBytes int64) ([]Tensor, map[string]string, error) {
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, fmt.Errorf("header byte 0: want '{': %w", ErrInvalid)
	}
	if !utf8.Valid(header) {
		return nil, nil, fmt.Errorf("header is not UTF-8: %w", ErrInvalid)
	}
	s := &scanner{data: header}
	tensors := make([]Tensor, 0, min(maxTensors, bytes.Count(header, []byte(`"dtype"`)), len(header)/minEntryBytes+1))
	var metadata map[string]string
	err := s.object(func(key string) error {
		if key == metadataKey {
			if metadata != nil {
				return s.fail("second %q", metadataKey)
			}
			var err error
			metadata, err = s.metadata()
			return err
		}
		if len(tensors) == maxTensors {
			return s.fail("more than %d tensors", maxTensors)
		}
		tensor, err := s.tensor(key)
		if err != nil {
			return err
		}
		tensors = append(tensors, tensor)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if s.skipSpace(); s.pos != len(header) {
		return nil, nil, s.fail("more text after the header's object")
	}
	if err := checkTiling(tensors, dataBytes); err != nil {
		return nil, nil, err
	}
	for i := range tensors {
		tensors[i].Offset += dataStart
	}
	return tensors, metadata, nil
}

// metadata reads the object of strings under __metadata__.
func (s *scanner) metadata() (map[string]string, error) {
	metadata := make(map[string]string)
	err := s.object(func(key string) error {
		if _, twice := metadata[key]; twice {
			return s.fail("second metadata key %q", key)
		}
		if len(metadata) == maxMetadata {
			return s.fail("more than %d metadata keys", maxMetadata)
		}
		value, err := s.text(len(s.data))
		metadata[key] = value
		return err
	})
	return metadata, err
}

// tensor reads one tensor's object. Its Offset is still relative to the data.
func (s *scanner) tensor(name string) (Tensor, error) {
	tensor := Tensor{Name: name}
	if err := checkName(name); err != nil {
		return tensor, s.fail("%v", err)
	}
	var elementBits, begin, end int64
	var seen [3]bool
	once := func(which int, key string) error {
		if seen[which] {
			return s.fail("tensor %q: second %q", name, key)
		}
		seen[which] = true
		return nil
	}
	err := s.object(func(key string) (err error) {
		switch key {
		case "dtype":
			if err = once(0, key); err == nil {
				tensor.DType, elementBits, err = s.dtype(name)
			}
		case "shape":
			if err = once(1, key); err == nil {
				tensor.Shape, err = s.shape()
			}
		case "data_offsets":
			if err = once(2, key); err == nil {
				begin, end, err = s.offsets(name)
			}
		default:
			err = s.fail("tensor %q: unknown key %q", name, key)
		}
		return err
	})
	if err != nil {
		return tensor, err
	}
	if seen != [3]bool{true, true, true} {
		return tensor, s.fail("tensor %q: dtype, shape and data_offsets must all be given", name)
	}
	tensor.Offset, tensor.Bytes = begin, end-begin
	return tensor, s.checkSize(tensor, elementBits)
}

// checkSize holds a tensor's bytes against its shape and dtype.
func (s *scanner) checkSize(tensor Tensor, elementBits int64) error {
	elements, ok := elementCount(tensor.Shape)
	if !ok {
		return s.fail("tensor %q: shape %v has too many elements", tensor.Name, tensor.Shape)
	}
	want, ok := byteCount(elements, elementBits)
	if !ok {
		return s.fail("tensor %q: %v of %s is no whole number of bytes below 2^63", tensor.Name, tensor.Shape, tensor.DType)
	}
	if want != tensor.Bytes {
		return s.fail("tensor %q: %v of %s takes %d bytes, data_offsets give %d", tensor.Name, tensor.Shape, tensor.DType, want, tensor.Bytes)
	}
	return nil
}

func (s *scanner) dtype(name string) (string, int64, error) {
	text, err := s.text(maxNameBytes)
	if err != nil {
		return "", 0, err
	}
	dtype, elementBits := dtypeBits(text)
	if elementBits == 0 {
		return "", 0, s.fail("tensor %q: unknown dtype %q", name, text)
	}
	return dtype, elementBits, nil
}

func (s *scanner) shape() ([]int, error) {
	var room [maxRank]int64
	dims, err := s.array(room[:0], maxRank)
	if err != nil {
		return nil, err
	}
	shape := make([]int, len(dims))
	for i, dim := range dims {
		shape[i] = int(dim)
		if int64(shape[i]) != dim {
			return nil, s.fail("dimension %d is too large for this machine", dim)
		}
	}
	return shape, nil
}

func (s *scanner) offsets(name string) (begin, end int64, err error) {
	var room [2]int64
	pair, err := s.array(room[:0], 2)
	if err != nil {
		return 0, 0, err
	}
	if len(pair) != 2 || pair[0] > pair[1] {
		return 0, 0, s.fail("tensor %q: data_offsets %v, want [begin, end] with begin ≤ end", name, pair)
	}
	return pair[0], pair[1], nil
}

// checkName refuses names that no model has and that would lie or garble
// where they are printed.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("tensor without a name")
	case len(name) > maxNameBytes:
		return fmt.Errorf("tensor name of %d bytes, at most %d are allowed", len(name), maxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("tensor name %q is not UTF-8", name)
	case strings.ContainsFunc(name, func(char rune) bool { return char < 0x20 || char == 0x7f }):
		return fmt.Errorf("tensor name %q holds a control character", name)
	}
	return nil
}

// checkTiling sorts the tensors by their bytes and holds them against the
// data: names differ, the first begins at byte 0, each next one where the one
// before ends, and the last ends with the data. That leaves no room for
// overlap, for holes, or for a second file hidden behind the first.
func checkTiling(tensors []Tensor, dataBytes int64) error {
	slices.SortFunc(tensors, func(a, b Tensor) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(tensors); i++ {
		if tensors[i].Name == tensors[i-1].Name {
			return fmt.Errorf("tensor %q: named twice: %w", tensors[i].Name, ErrInvalid)
		}
	}
	// Stable: tensors without elements share a place and stay sorted by name.
	slices.SortStableFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Bytes, b.Bytes))
	})
	next := int64(0)
	for _, tensor := range tensors {
		if tensor.Offset != next {
			return fmt.Errorf("tensor %q: data begin at byte %d, the tensor before ends at %d: %w", tensor.Name, tensor.Offset, next, ErrInvalid)
		}
		if tensor.Bytes > dataBytes-next {
			return fmt.Errorf("tensor %q: data end at byte %d, the file has only %d bytes of data: %w", tensor.Name, next+tensor.Bytes, dataBytes, ErrInvalid)
		}
		next += tensor.Bytes
	}
	if next != dataBytes {
		return fmt.Errorf("tensors cover %d of %d bytes of data: %w", next, dataBytes, ErrInvalid)
	}
	return nil
}
