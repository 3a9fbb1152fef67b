package gguf

import (
	"bytes"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/adapter.gguf anew")

// adapter is a LoRA file in small, with a value of every type.
func adapter() (map[string]any, []Entry) {
	metadata := map[string]any{
		"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora",
		"adapter.lora.alpha": float32(16),
		"k.u8":               uint8(8), "k.i8": int8(-8), "k.u16": uint16(16), "k.i16": int16(-16),
		"k.u32": uint32(32), "k.i32": int32(-32), "k.u64": uint64(1 << 63), "k.i64": int64(math.MinInt64),
		"k.f64": 1e-300, "k.bool": true,
		"l.u8": []uint8{1, 2}, "l.i8": []int8{-1}, "l.u16": []uint16{3}, "l.i16": []int16{-3},
		"l.u32": []uint32{4}, "l.i32": []int32{-4, 5, 6}, "l.u64": []uint64{7}, "l.i64": []int64{-7},
		"l.f32": []float32{0.5, -1}, "l.f64": []float64{0.25}, "l.bool": []bool{true, false},
		"l.text": []string{"", "\u0120the", strings.Repeat("a", 40)}, "l.none": []int32{},
	}
	return metadata, []Entry{
		{Name: "blk.0.attn_q.weight.lora_b", Shape: []int{3, 2}, Data: []float32{1, -2, 3, -4, 5, -6}},
		{Name: "blk.0.attn_q.weight.lora_a", Type: F16, Shape: []int{2, 5}, Data: []float32{0, 1, -1, 65504, 1e-7, 0.1, 0.2, 0.3, -0.4, 2048.5}},
		{Name: "scalar", Data: []float32{7}},
	}
}

func encode(t *testing.T, metadata map[string]any, entries []Entry) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Encode(&out, metadata, entries); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestGolden keeps the written bytes as they are.
func TestGolden(t *testing.T) {
	metadata, entries := adapter()
	got := encode(t, metadata, entries)
	path := filepath.Join("testdata", "adapter.gguf")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes written differ from the %d of %s", len(got), len(want), path)
	}
}

func TestRoundTrip(t *testing.T) {
	metadata, entries := adapter()
	path := filepath.Join(t.TempDir(), "adapter.gguf")
	if err := Write(path, metadata, entries); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	checkInvariants(t, file, info.Size())
	if info.Size()%defaultAlignment != 0 {
		t.Errorf("%d bytes: the last tensor is not padded", info.Size())
	}
	if len(file.Metadata()) != len(metadata) {
		t.Errorf("%d entries, want %d", len(file.Metadata()), len(metadata))
	}
	for key, value := range metadata {
		if element, isArray, count := valueTypeOf(value); true {
			entry, _ := file.Find(key)
			if entry.Element != element || (entry.Type == Array) != isArray || entry.Count != int64(count) {
				t.Errorf("%s: %+v", key, entry)
			}
		}
	}
	if got, err := file.Uint("k.u64"); err != nil || got != 1<<63 {
		t.Errorf("k.u64: %d, %v", got, err)
	}
	if got, err := file.Float("adapter.lora.alpha"); err != nil || got != 16 {
		t.Errorf("alpha: %g, %v", got, err)
	}
	if got, err := file.Strings("l.text"); err != nil || !slices.Equal(got, metadata["l.text"].([]string)) {
		t.Errorf("l.text: %q, %v", got, err)
	}
	if got, err := file.Ints("l.i32"); err != nil || !slices.Equal(got, []int64{-4, 5, 6}) {
		t.Errorf("l.i32: %d, %v", got, err)
	}
	if got, err := file.Floats("l.f32"); err != nil || !slices.Equal(got, []float32{0.5, -1}) {
		t.Errorf("l.f32: %g, %v", got, err)
	}
	for _, entry := range entries {
		tensor, found := file.Lookup(entry.Name)
		if !found || tensor.Type != entry.Type || !slices.Equal(tensor.Shape, entry.Shape) && len(entry.Shape) > 0 {
			t.Errorf("%+v, found %v", tensor, found)
		}
		got := make([]float32, len(entry.Data))
		if err := file.ReadF32(entry.Name, got); err != nil {
			t.Fatal(err)
		}
		for i, value := range entry.Data {
			if entry.Type == F16 {
				bits, _ := narrow(value)
				value = widen([]byte{byte(bits), byte(bits >> 8)})
			}
			if got[i] != value {
				t.Errorf("%s: element %d is %g, want %g", entry.Name, i, got[i], value)
			}
		}
	}
}

func TestWritingIsDeterministic(t *testing.T) {
	metadata, entries := adapter()
	first := encode(t, metadata, entries)
	slices.Reverse(entries)
	for range 5 {
		again, _ := adapter() // another map, another order
		if !bytes.Equal(encode(t, again, entries), first) {
			t.Fatal("bytes differ")
		}
	}
	if entries[0].Name != "scalar" {
		t.Error("the caller's entries were sorted")
	}
}

func TestWrittenAlignment(t *testing.T) {
	_, entries := adapter()
	for _, alignment := range []uint32{8, 32, 4096} {
		whole := encode(t, map[string]any{alignmentKey: alignment}, entries)
		file := mustParse(t, whole)
		for _, tensor := range file.Tensors() {
			if tensor.Offset%int64(alignment) != 0 {
				t.Errorf("alignment %d: %+v", alignment, tensor)
			}
		}
	}
}

func TestPadding(t *testing.T) {
	for position, want := range map[int64]int64{0: 0, 1: 31, 31: 1, 32: 0, 33: 31, 96: 0} {
		if got := padding(position, 32); got != want {
			t.Errorf("%d bytes after %d, want %d", got, position, want)
		}
	}
}

// TestLongTensor is written in several pieces.
func TestLongTensor(t *testing.T) {
	data := make([]float32, 200_001)
	for i := range data {
		data[i] = float32(i % 2048)
	}
	for _, kind := range []Type{F32, F16} {
		file := mustParse(t, encode(t, nil, []Entry{{Name: "w", Type: kind, Shape: []int{len(data)}, Data: data}}))
		got := make([]float32, len(data))
		if err := file.ReadF32("w", got); err != nil || !slices.Equal(got, data) {
			t.Errorf("%v: values differ, error %v", kind, err)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	one := func(name string, kind Type, shape []int, data ...float32) []Entry {
		return []Entry{{Name: name, Type: kind, Shape: shape, Data: data}}
	}
	nan := float32(math.NaN())
	for _, test := range []struct {
		metadata map[string]any
		entries  []Entry
		want     string
	}{
		{map[string]any{"k": 1}, nil, "Go type int"},
		{map[string]any{"k": nil}, nil, "Go type <nil>"},
		{map[string]any{"k": []any{"a"}}, nil, "Go type []interface"},
		{map[string]any{"k": [][]int32{{1}}}, nil, "Go type"},
		{map[string]any{"": true}, nil, "empty name"},
		{map[string]any{"a\n": true}, nil, "control character"},
		{map[string]any{"\xff": true}, nil, "UTF-8"},
		{map[string]any{strings.Repeat("k", 65536): true}, nil, "at most 65535"},
		{map[string]any{alignmentKey: uint64(32)}, nil, "want uint32"},
		{map[string]any{alignmentKey: uint32(33)}, nil, "power of two"},
		{nil, one("", F32, nil, 1), "empty name"},
		{nil, one(strings.Repeat("n", 65), F32, nil, 1), "at most 64"},
		{nil, one("w", Q8_0, []int{32}, make([]float32, 32)...), "Q8_0 cannot be written"},
		{nil, one("w", F64, nil, 1), "F64 cannot be written"},
		{nil, one("w", F32, []int{2}, 1), "does not fit 1 values"},
		{nil, one("w", F32, []int{0}), "does not fit"},
		{nil, one("w", F32, []int{-1, -1}, 1), "does not fit"},
		{nil, one("w", F32, []int{math.MaxInt, math.MaxInt}), "does not fit"},
		{nil, one("w", F32, []int{1, 1, 1, 1, 1}, 1), "5 dimensions"},
		{nil, one("w", F16, []int{2}, nan, 65520), "element 1 is 65520"},
		{nil, append(one("w", F32, nil, 1), one("w", F32, nil, 2)...), "given twice"},
	} {
		path := filepath.Join(t.TempDir(), "x.gguf")
		err := Write(path, test.metadata, test.entries)
		if !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v does not tell %q", err, test.want)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: a file is left: %v", test.want, err)
		}
	}
	if err := Encode(brokenWriter{}, nil, nil); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }
