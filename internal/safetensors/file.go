package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"zeroth/internal/readat"
)

const lengthBytes = 8 // of the header's length, before the header

// File is a checked safetensors file. Its methods may be called by several
// goroutines at once, Close excepted.
type File struct {
	source   io.ReaderAt
	size     int64
	close    func() error
	tensors  []Tensor // in the order of their bytes
	byName   []int32  // indices into tensors, sorted by name
	metadata map[string]string
}

// Open opens and checks the regular file at path. The caller closes it.
func Open(path string) (*File, error) {
	return readat.Parse(path, ErrInvalid, func(source *os.File, size int64) (*File, error) {
		file, err := New(source, size)
		if err == nil {
			file.close = source.Close
		}
		return file, err
	})
}

// New checks a file of size bytes that source reads: an open file, or mapped
// bytes through [bytes.NewReader]. Only the header is read. Errors wrap
// [ErrInvalid], or are those of source. Close leaves source alone.
func New(source io.ReaderAt, size int64) (*File, error) {
	if size < lengthBytes {
		return nil, fmt.Errorf("file of %d bytes is too short for a header: %w", size, ErrInvalid)
	}
	var length [lengthBytes]byte
	if err := readat.Full(source, length[:], 0); err != nil {
		return nil, fmt.Errorf("header length: %w", err)
	}
	headerBytes := binary.LittleEndian.Uint64(length[:])
	if headerBytes > maxHeaderBytes {
		return nil, fmt.Errorf("header length %d: at most %d bytes are allowed: %w", headerBytes, maxHeaderBytes, ErrInvalid)
	}
	if int64(headerBytes) > size-lengthBytes {
		return nil, fmt.Errorf("header length %d: the file has only %d bytes: %w", headerBytes, size, ErrInvalid)
	}
	header := make([]byte, headerBytes)
	if err := readat.Full(source, header, lengthBytes); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	dataStart := lengthBytes + int64(headerBytes)
	tensors, metadata, err := parseHeader(header, dataStart, size-dataStart)
	if err != nil {
		return nil, err
	}
	file := &File{source: source, size: size, tensors: tensors, metadata: metadata, byName: make([]int32, len(tensors))}
	for i := range file.byName {
		file.byName[i] = int32(i)
	}
	slices.SortFunc(file.byName, func(a, b int32) int { return cmp.Compare(tensors[a].Name, tensors[b].Name) })
	return file, nil
}

// Close releases what [Open] opened.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// Tensors returns all tensors in the order of their bytes in the file.
func (f *File) Tensors() []Tensor { return slices.Clone(f.tensors) }

// Metadata returns a copy of the header's __metadata__; nil where it has none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Lookup returns the tensor of that name and whether there is one.
func (f *File) Lookup(name string) (Tensor, bool) {
	at, found := slices.BinarySearchFunc(f.byName, name, func(index int32, name string) int {
		return cmp.Compare(f.tensors[index].Name, name)
	})
	if !found {
		return Tensor{}, false
	}
	return f.tensors[f.byName[at]], true
}

// ReadF32 reads a whole F32, F16, BF16 or F64 tensor into dst, whose length
// must be the tensor's number of elements. F64 is rounded to nearest. Values
// are not judged: NaN and infinity come through. It reads through a buffer of
// at most 256 KiB. Errors wrap [ErrNotFound], [ErrDType], [ErrArgument], or
// are those of the source.
func (f *File) ReadF32(name string, dst []float32) error {
	if tensor, found := f.Lookup(name); found && int64(len(dst)) != tensor.Elements() {
		return fmt.Errorf("tensor %q: buffer for %d elements, shape %v has %d: %w", name, len(dst), tensor.Shape, tensor.Elements(), ErrArgument)
	}
	return f.ReadPart(name, 0, dst)
}

// ReadPart is ReadF32 of the len(dst) elements from element first on, counted
// row-major.
func (f *File) ReadPart(name string, first int64, dst []float32) error {
	tensor, found := f.Lookup(name)
	if !found {
		return fmt.Errorf("tensor %q: %w", name, ErrNotFound)
	}
	switch tensor.DType {
	case F32, F16, BF16, F64:
	default:
		return fmt.Errorf("tensor %q: %s: %w", name, tensor.DType, ErrDType)
	}
	if elements := tensor.Elements(); first < 0 || first > elements || int64(len(dst)) > elements-first {
		return fmt.Errorf("tensor %q: %d elements from %d, shape %v has %d: %w", name, len(dst), first, tensor.Shape, elements, ErrArgument)
	}
	_, elementBits := dtypeBits(tensor.DType)
	unit := int64(elementBits / 8)
	err := readat.Pieces(f.source, tensor.Offset+first*unit, int64(len(dst))*unit, int(unit), func(piece []byte) {
		count := len(piece) / int(unit)
		decode(dst[:count], piece, tensor.DType)
		dst = dst[count:]
	})
	if err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	return nil
}
