package gguf

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// The tests build files piece by piece, right or wrong, without the writer.

func u32(value uint32) []byte { return binary.LittleEndian.AppendUint32(nil, value) }
func u64(value uint64) []byte { return binary.LittleEndian.AppendUint64(nil, value) }

func text(s string) []byte { return append(u64(uint64(len(s))), s...) }

func join(pieces ...[]byte) []byte { return slices.Concat(pieces...) }

// scalarEntry is a metadata entry; arrayEntry one whose value is an array.
func scalarEntry(key string, t ValueType, value []byte) []byte {
	return join(text(key), u32(uint32(t)), value)
}

func arrayEntry(key string, element ValueType, count uint64, elements []byte) []byte {
	return join(text(key), u32(uint32(Array)), u32(uint32(element)), u64(count), elements)
}

// row is a row of the tensor table. ne has the fastest dimension first.
func row(name string, t Type, offset uint64, ne ...uint64) []byte {
	out := join(text(name), u32(uint32(len(ne))))
	for _, dim := range ne {
		out = append(out, u64(dim)...)
	}
	return join(out, u32(uint32(t)), u64(offset))
}

// start is the fixed header.
func start(version uint32, tensors, metadata uint64) []byte {
	return join([]byte("GGUF"), u32(version), u64(tensors), u64(metadata))
}

// build makes a version 3 file of alignment 32 with true counts.
func build(entries, rows [][]byte, data []byte) []byte {
	file := join(start(3, uint64(len(rows)), uint64(len(entries))), join(entries...), join(rows...))
	if len(rows) > 0 {
		file = append(file, make([]byte, padding(int64(len(file)), 32))...)
	}
	return append(file, data...)
}

// withTensors is build without metadata, withMetadata build without tensors.
func withTensors(dataBytes int, rows ...[]byte) []byte {
	return build(nil, rows, make([]byte, dataBytes))
}

func withMetadata(entries ...[]byte) []byte { return build(entries, nil, nil) }

func parse(whole []byte) (*File, error) {
	return New(bytes.NewReader(whole), int64(len(whole)))
}

func mustParse(t testing.TB, whole []byte) *File {
	t.Helper()
	file, err := parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// small is a sound file with a value of each kind and three tensors.
func small() []byte {
	return build([][]byte{
		scalarEntry("general.architecture", String, text("llama")),
		scalarEntry("llama.block_count", Uint32, u32(2)),
		scalarEntry("b", Bool, []byte{1}),
		arrayEntry("tokens", String, 3, join(text("<s>"), text(""), text("a"))),
		arrayEntry("flags", Bool, 2, []byte{0, 1}),
		arrayEntry("types", Int32, 3, join(u32(1), u32(2), u32(0xffffffff))),
	}, [][]byte{
		row("a", F32, 0, 3, 2),
		row("q", Q8_0, 32, 32),
		row("s", BF16, 96),
	}, join(make([]byte, 32), []byte{0, 0x3c}, bytes.Repeat([]byte{0xff}, 32), make([]byte, 30), []byte{0x80, 0x3f}))
}

// checkInvariants restates what New promises, by another road than New's.
func checkInvariants(t *testing.T, file *File, size int64) {
	t.Helper()
	keys := map[string]bool{}
	for _, entry := range file.Metadata() {
		if keys[entry.Key] {
			t.Fatalf("key %q twice", entry.Key)
		}
		keys[entry.Key] = true
		if entry.offset < 24 || entry.Count < 0 || entry.bytes < entry.Count || entry.offset+entry.bytes > size {
			t.Fatalf("%+v in a file of %d bytes", entry, size)
		}
		if found, ok := file.Find(entry.Key); !ok || found != entry {
			t.Fatalf("looking %q up gives %+v", entry.Key, found)
		}
	}
	names := map[string]bool{}
	tensors := file.Tensors()
	for i, tensor := range tensors {
		if names[tensor.Name] || tensor.Name == "" || len(tensor.Name) > 64 {
			t.Fatalf("name %q", tensor.Name)
		}
		names[tensor.Name] = true
		if tensor.Bytes < 1 || tensor.Offset < 24 || tensor.Offset+tensor.Bytes > size || len(tensor.Shape) > 4 {
			t.Fatalf("%+v in a file of %d bytes", tensor, size)
		}
		if elements := tensor.Elements(); elements < 1 || elements > 8*tensor.Bytes {
			t.Fatalf("%+v has %d elements", tensor, elements)
		}
		if found, ok := file.Lookup(tensor.Name); !ok || found.Offset != tensor.Offset {
			t.Fatalf("looking %q up gives %+v", tensor.Name, found)
		}
		for _, other := range tensors[:min(i, 50)] {
			if other.Offset < tensor.Offset+tensor.Bytes && tensor.Offset < other.Offset+other.Bytes {
				t.Fatalf("%+v and %+v overlap", other, tensor)
			}
		}
	}
}
