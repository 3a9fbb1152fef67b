package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"zeroth/internal/readat"
)

// listBytes is what an accessor may allocate for a list however small the file
// is; a larger list may take twice the file's bytes.
const listBytes = 1 << 20

// Metadata describes all entries in the file's order.
func (f *File) Metadata() []Metadatum { return slices.Clone(f.metadata) }

// Find returns the description of a key's entry and whether there is one.
func (f *File) Find(key string) (Metadatum, bool) {
	at, found := sort.Find(len(f.keyOrder), func(i int) int { return strings.Compare(key, f.keyAt(f.keyOrder[i])) })
	if !found {
		return Metadatum{}, false
	}
	return f.metadata[f.keyOrder[at]], true
}

// Uint returns an integer of any width that is not negative. Like the other
// accessors it gives an error that wraps [ErrNotFound] where there is no such
// key and [ErrType] where its value is another.
func (f *File) Uint(key string) (uint64, error) {
	const wanted = "an integer from 0"
	entry, err := f.typed(key, false, wanted, Uint8, Uint16, Uint32, Uint64, Int8, Int16, Int32, Int64)
	if err != nil {
		return 0, err
	}
	raw, err := f.scalar(entry)
	if err != nil {
		return 0, err
	}
	signed := entry.Type == Int8 || entry.Type == Int16 || entry.Type == Int32 || entry.Type == Int64
	if value := integer(raw, entry.Type); signed && value < 0 {
		return 0, fmt.Errorf("metadata key %q: wanted %s, found %v %d: %w", key, wanted, entry.Type, value, ErrType)
	}
	return uint64(integer(raw, entry.Type)), nil
}

// Float returns a FLOAT32 or FLOAT64.
func (f *File) Float(key string) (float64, error) {
	entry, err := f.typed(key, false, "FLOAT32 or FLOAT64", Float32, Float64)
	if err != nil {
		return 0, err
	}
	raw, err := f.scalar(entry)
	if err != nil {
		return 0, err
	}
	if entry.Type == Float32 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), nil
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(raw)), nil
}

// Bool returns a BOOL.
func (f *File) Bool(key string) (bool, error) {
	entry, err := f.typed(key, false, "BOOL", Bool)
	if err != nil {
		return false, err
	}
	raw, err := f.scalar(entry)
	if err != nil {
		return false, err
	}
	return raw[0] != 0, nil
}

// String returns a STRING. That it is UTF-8 is not promised.
func (f *File) String(key string) (string, error) {
	entry, err := f.typed(key, false, "STRING", String)
	if err != nil {
		return "", err
	}
	list, err := f.texts(entry)
	if err != nil {
		return "", err
	}
	return list[0], nil
}

// Strings returns an ARRAY of STRING. The texts share one piece of memory, and
// all together take at most twice the array's bytes.
func (f *File) Strings(key string) ([]string, error) {
	entry, err := f.typed(key, true, "ARRAY of STRING", String)
	if err != nil {
		return nil, err
	}
	return f.texts(entry)
}

// Floats returns an ARRAY of FLOAT32 or FLOAT64, the latter rounded to nearest.
func (f *File) Floats(key string) ([]float32, error) {
	entry, err := f.typed(key, true, "ARRAY of FLOAT32 or FLOAT64", Float32, Float64)
	if err != nil {
		return nil, err
	}
	list := make([]float32, entry.Count)
	decode := decodeF32
	if entry.Element == Float64 {
		decode = decodeF64
	}
	err = f.elements(entry, func(first int, raw []byte) {
		decode(list[first:first+len(raw)/int(entry.Element.bytes())], raw)
	})
	return list, err
}

// Ints returns an ARRAY of integers of any width. Beyond 1 MiB the list may
// not take more than twice the file's bytes, which only arrays of 8 and 16
// bits could. UINT64 values above the range of int64 are refused.
func (f *File) Ints(key string) ([]int64, error) {
	const wanted = "ARRAY of integers"
	entry, err := f.typed(key, true, wanted, Uint8, Int8, Uint16, Int16, Uint32, Int32, Uint64, Int64)
	if err != nil {
		return nil, err
	}
	if entry.Count > max(listBytes/8, f.size/4) {
		return nil, fmt.Errorf("metadata key %q: %d elements of %v are too many to widen: %w", key, entry.Count, entry.Element, ErrType)
	}
	list := make([]int64, entry.Count)
	width := int(entry.Element.bytes())
	outside := false
	err = f.elements(entry, func(first int, raw []byte) {
		for i := range len(raw) / width {
			value := integer(raw[i*width:], entry.Element)
			outside = outside || entry.Element == Uint64 && value < 0
			list[first+i] = value
		}
	})
	if err == nil && outside {
		err = fmt.Errorf("metadata key %q: a UINT64 exceeds %d: %w", key, int64(math.MaxInt64), ErrType)
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

// typed returns the entry of a key whose value, or array's element, is of one
// of the allowed types.
func (f *File) typed(key string, array bool, wanted string, allowed ...ValueType) (Metadatum, error) {
	entry, found := f.Find(key)
	if !found {
		return Metadatum{}, fmt.Errorf("metadata key %q: wanted %s: %w", key, wanted, ErrNotFound)
	}
	if (entry.Type == Array) != array || !slices.Contains(allowed, entry.Element) {
		return Metadatum{}, fmt.Errorf("metadata key %q: wanted %s, found %s: %w", key, wanted, entry.TypeName(), ErrType)
	}
	return entry, nil
}

// scalar reads the bytes of a value that is neither text nor array.
func (f *File) scalar(entry Metadatum) ([]byte, error) {
	raw := make([]byte, entry.bytes)
	if err := readat.Full(f.source, raw, entry.offset); err != nil {
		return nil, fmt.Errorf("metadata key %q: %w", entry.Key, err)
	}
	return raw, nil
}

// integer widens the first value in raw. A UINT64 keeps its bits.
func integer(raw []byte, t ValueType) int64 {
	switch t {
	case Uint8:
		return int64(raw[0])
	case Int8:
		return int64(int8(raw[0]))
	case Uint16:
		return int64(binary.LittleEndian.Uint16(raw))
	case Int16:
		return int64(int16(binary.LittleEndian.Uint16(raw)))
	case Uint32:
		return int64(binary.LittleEndian.Uint32(raw))
	case Int32:
		return int64(int32(binary.LittleEndian.Uint32(raw)))
	}
	return int64(binary.LittleEndian.Uint64(raw))
}

// elements hands the array's bytes over piece by piece, each of whole elements
// of a fixed width, with the index of its first.
func (f *File) elements(entry Metadatum, each func(first int, raw []byte)) error {
	width := entry.Element.bytes()
	s := newScanner(f.source, entry.offset, entry.offset+entry.bytes)
	for first := int64(0); first < entry.Count; {
		count := min(entry.Count-first, scanBytes/width)
		raw, err := s.take(int(count * width))
		if err != nil {
			return fmt.Errorf("metadata key %q: %w", entry.Key, err)
		}
		each(int(first), raw)
		first += count
	}
	return nil
}

// texts reads the texts of a STRING or an ARRAY of them: once for the letters,
// 16 bytes each for the list, where the file has 8 for the length.
func (f *File) texts(entry Metadatum) ([]string, error) {
	list := make([]string, entry.Count)
	var letters strings.Builder
	letters.Grow(int(entry.bytes - 8*entry.Count))
	s := newScanner(f.source, entry.offset, entry.offset+entry.bytes)
	for i := range list {
		length, err := s.length()
		if err != nil {
			return nil, fmt.Errorf("metadata key %q: element %d: %w", entry.Key, i, err)
		}
		begin := letters.Len()
		for length > 0 {
			piece, err := s.take(int(min(length, int64(len(s.buffer)))))
			if err != nil {
				return nil, fmt.Errorf("metadata key %q: element %d: %w", entry.Key, i, err)
			}
			letters.Write(piece)
			length -= int64(len(piece))
		}
		list[i] = letters.String()[begin:]
	}
	return list, nil
}
