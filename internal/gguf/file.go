package gguf

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strings"

	"zeroth/internal/readat"
)

// chunkBytes bounds the buffer through which tensors are written.
const chunkBytes = 256 << 10

// File is a checked GGUF file. Its methods may be called by several goroutines
// at once, Close excepted.
type File struct {
	source   io.ReaderAt
	size     int64
	close    func() error
	metadata []Metadatum // in the file's order, as the tensors
	tensors  []Tensor
	keyOrder []int32 // indices into metadata, sorted by key
	order    []int32 // indices into tensors, sorted by name
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
// bytes through [bytes.NewReader]. Metadata and the tensor table are walked,
// array values and tensors stay where they are. Errors wrap [ErrInvalid] or
// [ErrUnsupported], or are those of source. Close leaves source alone.
func New(source io.ReaderAt, size int64) (*File, error) {
	s := newScanner(source, 0, max(size, 0))
	keys, tensors, err := parseCounts(s)
	if err != nil {
		return nil, err
	}
	file := &File{source: source, size: size}
	if file.metadata, err = parseMetadata(s, keys); err != nil {
		return nil, err
	}
	file.keyOrder = sortedNames(keys, file.keyAt)
	if key, twice := firstTwice(file.keyOrder, file.keyAt); twice {
		return nil, fmt.Errorf("metadata key %.64q: given twice: %w", key, ErrInvalid)
	}
	alignment, err := file.alignment()
	if err != nil {
		return nil, err
	}
	if file.tensors, err = parseTensors(s, tensors); err != nil {
		return nil, err
	}
	file.order = sortedNames(tensors, file.nameAt)
	if name, twice := firstTwice(file.order, file.nameAt); twice {
		return nil, fmt.Errorf("tensor %q: given twice: %w", name, ErrInvalid)
	}
	dataStart := s.position + padding(s.position, alignment)
	if err := placeTensors(file.tensors, dataStart, size, alignment); err != nil {
		return nil, err
	}
	return file, nil
}

func (f *File) keyAt(i int32) string  { return f.metadata[i].Key }
func (f *File) nameAt(i int32) string { return f.tensors[i].Name }

// alignment returns the file's own or the format's default.
func (f *File) alignment() (int64, error) {
	entry, found := f.Find(alignmentKey)
	if !found {
		return defaultAlignment, nil
	}
	if entry.Type != Uint32 {
		return 0, fmt.Errorf("metadata key %q: wanted UINT32, found %s: %w", alignmentKey, entry.TypeName(), ErrInvalid)
	}
	value, err := f.Uint(alignmentKey)
	if err != nil {
		return 0, err
	}
	if err := checkAlignment(uint32(value)); err != nil {
		return 0, fmt.Errorf("%v: %w", err, ErrInvalid)
	}
	return int64(value), nil
}

// padding returns the bytes from position to the next multiple of alignment.
func padding(position, alignment int64) int64 {
	return (alignment - position%alignment) % alignment
}

// Close releases what [Open] opened.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// Tensors returns all tensors in the order of the file's table.
func (f *File) Tensors() []Tensor { return slices.Clone(f.tensors) }

// Lookup returns the tensor of that name and whether there is one.
func (f *File) Lookup(name string) (Tensor, bool) {
	at, found := sort.Find(len(f.order), func(i int) int { return strings.Compare(name, f.nameAt(f.order[i])) })
	if !found {
		return Tensor{}, false
	}
	return f.tensors[f.order[at]], true
}

// ReadF32 reads a whole tensor into dst, whose length must be the tensor's
// number of elements, dequantising as the type's decoder says. F64 is rounded
// to nearest. Values are not judged: NaN and infinity come through. It reads
// through a buffer of at most 256 KiB. Errors wrap [ErrNotFound],
// [ErrUnsupported], [ErrArgument], or are those of the source.
func (f *File) ReadF32(name string, dst []float32) error {
	if tensor, found := f.Lookup(name); found && int64(len(dst)) != tensor.Elements() {
		return fmt.Errorf("tensor %q: buffer for %d elements, shape %v has %d: %w", name, len(dst), tensor.Shape, tensor.Elements(), ErrArgument)
	}
	return f.ReadPart(name, 0, dst)
}

// ReadPart is ReadF32 of the len(dst) elements from element first on, counted
// row-major. Both must be whole blocks of the type, as whole rows are.
func (f *File) ReadPart(name string, first int64, dst []float32) error {
	tensor, found := f.Lookup(name)
	if !found {
		return fmt.Errorf("tensor %q: %w", name, ErrNotFound)
	}
	block, _ := layoutOf(tensor.Type)
	if block.decode == nil {
		return fmt.Errorf("tensor %q: type %v: %w", name, tensor.Type, ErrUnsupported)
	}
	if elements := tensor.Elements(); first < 0 || first > elements || int64(len(dst)) > elements-first {
		return fmt.Errorf("tensor %q: %d elements from %d, shape %v has %d: %w", name, len(dst), first, tensor.Shape, elements, ErrArgument)
	}
	if first%int64(block.elements) != 0 || len(dst)%block.elements != 0 {
		return fmt.Errorf("tensor %q: %d elements from %d: %v has blocks of %d: %w", name, len(dst), first, tensor.Type, block.elements, ErrArgument)
	}
	bytes := func(elements int64) int64 { return elements / int64(block.elements) * int64(block.bytes) }
	err := readat.Pieces(f.source, tensor.Offset+bytes(first), bytes(int64(len(dst))), block.bytes, func(piece []byte) {
		count := len(piece) / block.bytes * block.elements
		block.decode(dst[:count], piece)
		dst = dst[count:]
	})
	if err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	return nil
}
