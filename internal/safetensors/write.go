package safetensors

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"zeroth/internal/atomicfile"
)

// chunkBytes bounds the buffer through which tensors are written.
const chunkBytes = 256 << 10

// Entry is a tensor to be written.
type Entry struct {
	Name  string
	DType string // F32, F16 or BF16; empty means F32
	Shape []int
	Data  []float32 // row-major, rounded to DType, ties to even
}

// Write writes a file to path: whole or not at all. The bytes go to a
// temporary file in the same folder, reach the disk, and take path's name
// only then. See [Encode] for what the file holds.
func Write(path string, entries []Entry, metadata map[string]string) error {
	err := atomicfile.Write(path, func(file *os.File) error {
		buffered := bufio.NewWriterSize(file, chunkBytes)
		if err := Encode(buffered, entries, metadata); err != nil {
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
// tensors lie sorted by name, those of 4-byte elements before those of 2 so
// that each is aligned to its elements; metadata are sorted by key; spaces
// pad the header so that the data begin at a multiple of 8. Errors wrap
// [ErrArgument] or [ErrDType], or are those of w.
func Encode(w io.Writer, entries []Entry, metadata map[string]string) error {
	sorted := slices.Clone(entries)
	for i := range sorted {
		if sorted[i].DType == "" {
			sorted[i].DType = F32
		}
		if err := checkEntry(sorted[i]); err != nil {
			return err
		}
	}
	slices.SortFunc(sorted, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(writtenBytes(b.DType), writtenBytes(a.DType)), cmp.Compare(a.Name, b.Name))
	})
	header, err := encodeHeader(sorted, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	buffer := make([]byte, 0, chunkBytes)
	for _, entry := range sorted {
		perChunk := chunkBytes / writtenBytes(entry.DType)
		for data := range slices.Chunk(entry.Data, perChunk) {
			if _, err := w.Write(encode(buffer, data, entry.DType)); err != nil {
				return err
			}
		}
	}
	return nil
}

// writtenBytes returns the size of an element of a dtype that Encode writes,
// zero for any other.
func writtenBytes(dtype string) int {
	switch dtype {
	case F32:
		return 4
	case F16, BF16:
		return 2
	}
	return 0
}

func checkEntry(entry Entry) error {
	if err := checkName(entry.Name); err != nil {
		return fmt.Errorf("%v: %w", err, ErrArgument)
	}
	if entry.Name == metadataKey {
		return fmt.Errorf("tensor %q: the name is taken by the format: %w", entry.Name, ErrArgument)
	}
	if writtenBytes(entry.DType) == 0 {
		return fmt.Errorf("tensor %q: %s: %w", entry.Name, entry.DType, ErrDType)
	}
	elements, ok := elementCount(entry.Shape)
	if !ok || len(entry.Shape) > maxRank || elements != int64(len(entry.Data)) {
		return fmt.Errorf("tensor %q: shape %v does not fit %d values: %w", entry.Name, entry.Shape, len(entry.Data), ErrArgument)
	}
	return nil
}

// encodeHeader returns the padded header of entries in their final order.
func encodeHeader(entries []Entry, metadata map[string]string) ([]byte, error) {
	if len(entries) > maxTensors || len(metadata) > maxMetadata {
		return nil, fmt.Errorf("%d tensors and %d metadata keys: at most %d and %d are allowed: %w", len(entries), len(metadata), maxTensors, maxMetadata, ErrArgument)
	}
	header := []byte{'{'}
	if len(metadata) > 0 {
		text, err := encodeMetadata(metadata)
		if err != nil {
			return nil, err
		}
		header = append(header, text...)
	}
	names := make(map[string]bool, len(entries))
	offset := int64(0)
	for i, entry := range entries {
		if names[entry.Name] {
			return nil, fmt.Errorf("tensor %q: given twice: %w", entry.Name, ErrArgument)
		}
		names[entry.Name] = true
		if i > 0 || len(metadata) > 0 {
			header = append(header, ',')
		}
		end := offset + int64(len(entry.Data))*int64(writtenBytes(entry.DType))
		text, err := encodeTensor(entry, offset, end)
		if err != nil {
			return nil, err
		}
		header = append(header, text...)
		offset = end
	}
	header = append(header, '}')
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	if len(header) > maxHeaderBytes {
		return nil, fmt.Errorf("header of %d bytes, at most %d are allowed: %w", len(header), maxHeaderBytes, ErrArgument)
	}
	return header, nil
}

func encodeMetadata(metadata map[string]string) ([]byte, error) {
	for key, value := range metadata {
		if len(key) > maxNameBytes || !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("metadata key %.64q: key or value is not UTF-8, or the key is longer than %d bytes: %w", key, maxNameBytes, ErrArgument)
		}
	}
	text, err := json.Marshal(metadata) // sorts the keys
	if err != nil {
		return nil, err
	}
	return append([]byte(`"`+metadataKey+`":`), text...), nil
}

func encodeTensor(entry Entry, begin, end int64) ([]byte, error) {
	name, err := json.Marshal(entry.Name)
	if err != nil {
		return nil, err
	}
	shape := entry.Shape
	if shape == nil {
		shape = []int{} // a scalar is [], not null
	}
	info, err := json.Marshal(struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}{entry.DType, shape, [2]int64{begin, end}})
	if err != nil {
		return nil, err
	}
	return append(append(name, ':'), info...), nil
}
