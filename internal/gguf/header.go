package gguf

import (
	"cmp"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

const (
	magic        = "GGUF"
	headerBytes  = 24
	alignmentKey = "general.alignment"

	defaultAlignment = 32
	maxAlignment     = 1 << 20

	maxKeyBytes  = 1<<16 - 1 // of the specification
	maxNameBytes = 64        // of a tensor, likewise
	maxRank      = 4         // likewise

	// Far over any published model; they bound what tiny entries cost.
	maxMetadata = 1 << 12
	maxTensors  = 1 << 16

	leastMetadatumBytes = 8 + 1 + 4 + 1     // key length, key, type, value
	leastTensorBytes    = 8 + 1 + 4 + 4 + 8 // name length, name, rank, type, offset
	leastAlignment      = 8                 // and so the least bytes from a tensor's data to the next one's
)

// parseCounts reads the fixed header and returns how many metadata entries
// and tensors follow: no more than could fit into what is left of the file.
func parseCounts(s *scanner) (metadata, tensors int, err error) {
	if s.remaining() < headerBytes {
		return 0, 0, fmt.Errorf("file of %d bytes is too short for a header: %w", s.remaining(), ErrInvalid)
	}
	header, err := s.take(8)
	if err != nil {
		return 0, 0, err
	}
	if string(header[:4]) != magic {
		return 0, 0, fmt.Errorf("file begins with %q, want %q: %w", header[:4], magic, ErrInvalid)
	}
	version := header[4:8]
	switch {
	case version[0] == 0 && version[1] == 0 && version[2] == 0 && version[3] != 0:
		return 0, 0, fmt.Errorf("big-endian file: %w", ErrUnsupported)
	case version[1] != 0 || version[2] != 0 || version[3] != 0 || version[0] < 2 || version[0] > 3:
		return 0, 0, fmt.Errorf("version bytes % x, want 2 or 3: %w", version, ErrUnsupported)
	}
	tensorCount, err := s.uint64()
	if err != nil {
		return 0, 0, err
	}
	metadataCount, err := s.uint64()
	if err != nil {
		return 0, 0, err
	}
	if tensorCount > maxTensors || metadataCount > maxMetadata {
		return 0, 0, fmt.Errorf("%d tensors and %d metadata entries: at most %d and %d are allowed: %w", tensorCount, metadataCount, maxTensors, maxMetadata, ErrInvalid)
	}
	least := int64(metadataCount)*leastMetadatumBytes + int64(tensorCount)*leastTensorBytes + max(0, int64(tensorCount)-1)*leastAlignment
	if least > s.remaining() {
		return 0, 0, fmt.Errorf("%d tensors and %d metadata entries need at least %d bytes, %d are left: %w", tensorCount, metadataCount, least, s.remaining(), ErrInvalid)
	}
	return int(metadataCount), int(tensorCount), nil
}

func parseMetadata(s *scanner, count int) ([]Metadatum, error) {
	metadata := make([]Metadatum, count)
	for i := range metadata {
		key, err := s.name(maxKeyBytes)
		if err != nil {
			return nil, fmt.Errorf("metadata entry %d: key: %w", i, err)
		}
		if metadata[i], err = parseValue(s); err != nil {
			return nil, fmt.Errorf("metadata key %.64q: %w", key, err)
		}
		metadata[i].Key = key
	}
	return metadata, nil
}

// parseValue passes over a value and notes where it is.
func parseValue(s *scanner) (Metadatum, error) {
	number, err := s.uint32()
	if err != nil {
		return Metadatum{}, err
	}
	value := Metadatum{Type: ValueType(number), Element: ValueType(number), Count: 1}
	if value.Type == Array {
		if number, err = s.uint32(); err != nil {
			return Metadatum{}, err
		}
		value.Element = ValueType(number)
		count, err := s.uint64()
		if err != nil {
			return Metadatum{}, err
		}
		if value.Element == Array {
			return Metadatum{}, fmt.Errorf("array of arrays: %w", ErrInvalid)
		}
		// Every element takes a byte or more, so this keeps Count in int64.
		if count > uint64(s.remaining()) {
			return Metadatum{}, fmt.Errorf("array of %d elements, %d bytes are left: %w", count, s.remaining(), ErrInvalid)
		}
		value.Count = int64(count)
	}
	least := value.Element.bytes()
	if least == 0 {
		return Metadatum{}, fmt.Errorf("%v, want 0 to %d: %w", value.Element, valueTypes-1, ErrInvalid)
	}
	if value.Count > s.remaining()/least {
		return Metadatum{}, fmt.Errorf("%s of %d elements, %d bytes are left: %w", value.TypeName(), value.Count, s.remaining(), ErrInvalid)
	}
	value.offset = s.position
	if err := passElements(s, value.Element, value.Count); err != nil {
		return Metadatum{}, err
	}
	value.bytes = s.position - value.offset
	return value, nil
}

func passElements(s *scanner, element ValueType, count int64) error {
	switch element {
	case String:
		for i := range count {
			length, err := s.length()
			if err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
			s.skip(length)
		}
	case Bool:
		for i := range count {
			one, err := s.take(1)
			if err != nil {
				return err
			}
			if one[0] > 1 {
				return fmt.Errorf("element %d: bool is %d, want 0 or 1: %w", i, one[0], ErrInvalid)
			}
		}
	default:
		s.skip(count * element.bytes())
	}
	return nil
}

// checkName holds a key or tensor name to the format's length, and to text
// that can be shown.
func checkName(name string, limit int64) error {
	switch {
	case name == "":
		return fmt.Errorf("empty name")
	case int64(len(name)) > limit:
		return fmt.Errorf("name %.64q of %d bytes, at most %d are allowed", name, len(name), limit)
	case !utf8.ValidString(name):
		return fmt.Errorf("name %.64q is not UTF-8", name)
	}
	for _, letter := range name {
		if unicode.IsControl(letter) {
			return fmt.Errorf("name %.64q has a control character", name)
		}
	}
	return nil
}

// checkAlignment holds an alignment to the specification.
func checkAlignment(alignment uint32) error {
	if alignment < leastAlignment || alignment > maxAlignment || alignment&(alignment-1) != 0 {
		return fmt.Errorf("%s is %d, want a power of two from %d to %d", alignmentKey, alignment, leastAlignment, maxAlignment)
	}
	return nil
}

// sortedNames returns the indices of count names in the names' order.
func sortedNames(count int, name func(i int32) string) []int32 {
	indices := make([]int32, count)
	for i := range indices {
		indices[i] = int32(i)
	}
	slices.SortFunc(indices, func(a, b int32) int { return cmp.Compare(name(a), name(b)) })
	return indices
}

// firstTwice returns a name that occurs more than once among sorted indices.
func firstTwice(sorted []int32, name func(i int32) string) (string, bool) {
	for i := 1; i < len(sorted); i++ {
		if name(sorted[i-1]) == name(sorted[i]) {
			return name(sorted[i]), true
		}
	}
	return "", false
}
