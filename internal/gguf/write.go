package gguf

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"zeroth/internal/atomicfile"
)

// Entry is a tensor to be written.
type Entry struct {
	Name  string    // 1 to 64 bytes
	Type  Type      // F32, the zero value, or F16
	Shape []int     // row-major, at most 4 dimensions, each at least 1; none for a scalar
	Data  []float32 // row-major; rounded to nearest, ties to even, for F16
}

// Write writes a version 3 file to path: whole or not at all. The bytes go to
// a temporary file in the same folder, reach the disk, and take path's name
// only then. See [Encode] for what the file holds.
func Write(path string, metadata map[string]any, entries []Entry) error {
	err := atomicfile.Write(path, func(file *os.File) error {
		buffered := bufio.NewWriterSize(file, chunkBytes)
		if err := Encode(buffered, metadata, entries); err != nil {
			return err
		}
		return buffered.Flush()
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Encode writes the bytes of a file to w. They depend on the arguments alone:
// metadata are sorted by key, tensors by name. A value's Go type gives its type
// in the file: any integer or float of stated width, bool, string, or a slice
// of one of them; int and uint have no stated width and are refused. The
// alignment is the uint32 "general.alignment", 32 where absent, and each
// tensor, the last too, is padded to it with zeros, as ggml's reader wants.
// Errors wrap [ErrArgument] or are those of w.
func Encode(w io.Writer, metadata map[string]any, entries []Entry) error {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	header, alignment, err := encodeHeader(metadata, sorted)
	if err != nil {
		return err
	}
	header = append(header, make([]byte, padding(int64(len(header)), alignment))...)
	if _, err := w.Write(header); err != nil {
		return err
	}
	zeros := make([]byte, alignment)
	buffer := make([]byte, 0, chunkBytes)
	for _, entry := range sorted {
		for data := range slices.Chunk(entry.Data, chunkBytes/4) {
			if _, err := w.Write(encodeElements(buffer, data, entry.Type)); err != nil {
				return err
			}
		}
		if _, err := w.Write(zeros[:padding(entry.bytes(), alignment)]); err != nil {
			return err
		}
	}
	return nil
}

// encodeHeader returns all that comes before the data's padding, for checked
// entries in their final order.
func encodeHeader(metadata map[string]any, entries []Entry) ([]byte, int64, error) {
	if len(entries) > maxTensors || len(metadata) > maxMetadata {
		return nil, 0, fmt.Errorf("%d tensors and %d metadata keys: at most %d and %d are allowed: %w", len(entries), len(metadata), maxTensors, maxMetadata, ErrArgument)
	}
	alignment, err := writtenAlignment(metadata)
	if err != nil {
		return nil, 0, err
	}
	header := binary.LittleEndian.AppendUint32([]byte(magic), 3)
	header = binary.LittleEndian.AppendUint64(header, uint64(len(entries)))
	header = binary.LittleEndian.AppendUint64(header, uint64(len(metadata)))
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if err := checkName(key, maxKeyBytes); err != nil {
			return nil, 0, fmt.Errorf("metadata key: %v: %w", err, ErrArgument)
		}
		header = appendText(header, key)
		if header, err = appendValue(header, metadata[key]); err != nil {
			return nil, 0, fmt.Errorf("metadata key %.64q: %w", key, err)
		}
	}
	offset := int64(0)
	for i, entry := range entries {
		if err := checkEntry(entry); err != nil {
			return nil, 0, err
		}
		if i > 0 && entries[i-1].Name == entry.Name {
			return nil, 0, fmt.Errorf("tensor %q: given twice: %w", entry.Name, ErrArgument)
		}
		header = appendText(header, entry.Name)
		header = binary.LittleEndian.AppendUint32(header, uint32(len(entry.Shape)))
		for _, dim := range slices.Backward(entry.Shape) {
			header = binary.LittleEndian.AppendUint64(header, uint64(dim))
		}
		header = binary.LittleEndian.AppendUint32(header, uint32(entry.Type))
		header = binary.LittleEndian.AppendUint64(header, uint64(offset))
		offset += entry.bytes() + padding(entry.bytes(), alignment)
	}
	return header, alignment, nil
}

// bytes returns the size of a checked entry in the file, without padding.
func (e Entry) bytes() int64 {
	block, _ := layoutOf(e.Type)
	return int64(len(e.Data)) * int64(block.bytes)
}

func writtenAlignment(metadata map[string]any) (int64, error) {
	value, found := metadata[alignmentKey]
	if !found {
		return defaultAlignment, nil
	}
	alignment, ok := value.(uint32)
	if !ok {
		return 0, fmt.Errorf("%s is a %T, want uint32: %w", alignmentKey, value, ErrArgument)
	}
	if err := checkAlignment(alignment); err != nil {
		return 0, fmt.Errorf("%v: %w", err, ErrArgument)
	}
	return int64(alignment), nil
}

func checkEntry(entry Entry) error {
	if err := checkName(entry.Name, maxNameBytes); err != nil {
		return fmt.Errorf("tensor: %v: %w", err, ErrArgument)
	}
	if entry.Type != F32 && entry.Type != F16 {
		return fmt.Errorf("tensor %q: type %v cannot be written, use F32 or F16: %w", entry.Name, entry.Type, ErrArgument)
	}
	if len(entry.Shape) > maxRank {
		return fmt.Errorf("tensor %q: %d dimensions, at most %d are allowed: %w", entry.Name, len(entry.Shape), maxRank, ErrArgument)
	}
	elements, ok := uint64(1), true
	for _, dim := range entry.Shape {
		ok = ok && dim > 0
		if ok {
			elements, ok = product(elements, uint64(dim))
		}
	}
	if !ok || elements != uint64(len(entry.Data)) {
		return fmt.Errorf("tensor %q: shape %v does not fit %d values: %w", entry.Name, entry.Shape, len(entry.Data), ErrArgument)
	}
	if entry.Type == F16 {
		for i, value := range entry.Data {
			if _, fits := narrow(value); !fits {
				return fmt.Errorf("tensor %q: element %d is %g, too large for F16, use F32: %w", entry.Name, i, value, ErrArgument)
			}
		}
	}
	return nil
}

// encodeElements appends values that checkEntry has passed.
func encodeElements(dst []byte, values []float32, t Type) []byte {
	for _, value := range values {
		if t == F16 {
			bits, _ := narrow(value)
			dst = binary.LittleEndian.AppendUint16(dst, bits)
		} else {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(value))
		}
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	return append(binary.LittleEndian.AppendUint64(dst, uint64(len(text))), text...)
}

// appendValue appends the type and the value.
func appendValue(dst []byte, value any) ([]byte, error) {
	number, isArray, count := valueTypeOf(value)
	if number == valueTypes {
		return nil, fmt.Errorf("value of Go type %T, want an integer or float of stated width, bool, string or a slice of them: %w", value, ErrArgument)
	}
	if isArray {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(Array))
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(number))
	if isArray {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(count))
	}
	switch value := value.(type) {
	case string:
		return appendText(dst, value), nil
	case []string:
		for _, text := range value {
			dst = appendText(dst, text)
		}
		return dst, nil
	}
	return binary.Append(dst, binary.LittleEndian, value)
}

// valueTypeOf returns the type of a value or of a slice's elements, and how
// many those are; valueTypes for a Go type that has none.
func valueTypeOf(value any) (t ValueType, isArray bool, count int) {
	switch value := value.(type) {
	case uint8:
		return Uint8, false, 1
	case int8:
		return Int8, false, 1
	case uint16:
		return Uint16, false, 1
	case int16:
		return Int16, false, 1
	case uint32:
		return Uint32, false, 1
	case int32:
		return Int32, false, 1
	case float32:
		return Float32, false, 1
	case bool:
		return Bool, false, 1
	case string:
		return String, false, 1
	case uint64:
		return Uint64, false, 1
	case int64:
		return Int64, false, 1
	case float64:
		return Float64, false, 1
	case []uint8:
		return Uint8, true, len(value)
	case []int8:
		return Int8, true, len(value)
	case []uint16:
		return Uint16, true, len(value)
	case []int16:
		return Int16, true, len(value)
	case []uint32:
		return Uint32, true, len(value)
	case []int32:
		return Int32, true, len(value)
	case []float32:
		return Float32, true, len(value)
	case []bool:
		return Bool, true, len(value)
	case []string:
		return String, true, len(value)
	case []uint64:
		return Uint64, true, len(value)
	case []int64:
		return Int64, true, len(value)
	case []float64:
		return Float64, true, len(value)
	}
	return valueTypes, false, 0
}
