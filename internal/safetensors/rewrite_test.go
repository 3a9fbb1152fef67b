package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// Matrices of every dtype, one larger than the buffer, with others between them.
func TestRewrite(t *testing.T) {
	const rows, columns = 3, chunkBytes/4 + 5
	large := make([]float32, rows*columns)
	for i := range large {
		large[i] = float32(i%7) - 3
	}
	entries := []Entry{
		{Name: "a", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}},
		{Name: "b", Shape: []int{rows, columns}, Data: large},
		{Name: "c", Shape: []int{4}, Data: []float32{9, 8, 7, 6}},
		{Name: "d", DType: F16, Shape: []int{1, 3}, Data: []float32{0.5, 2048, float32(math.Inf(1))}},
		{Name: "e", DType: BF16, Shape: []int{2, 1}, Data: []float32{256, -1}},
		{Name: "f", DType: BF16, Shape: []int{2, 1}, Data: []float32{256, -1}},
	}
	var whole bytes.Buffer
	if err := Encode(&whole, entries, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	file := mustParse(t, whole.Bytes())
	add := func(row, column int, values []float64) {
		for i := range values {
			values[i] += float64(100*row) + float64(column+i)
		}
	}
	var out bytes.Buffer
	if err := file.Rewrite(&out, map[string]Change{"b": add, "d": add, "e": add}); err != nil {
		t.Fatal(err)
	}
	for i := range large {
		large[i] += float32(100*(i/columns) + i%columns)
	}
	entries[3].Data = []float32{0.5, 2048, float32(math.Inf(1))} // 2049 is no F16 and ties to 2048
	entries[4].Data = []float32{256, 99}
	var want bytes.Buffer
	if err := Encode(&want, entries, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want.Bytes()) {
		t.Error("other bytes than those of the changed tensors written anew")
	}
	out.Reset()
	if err := file.Rewrite(&out, nil); err != nil || !bytes.Equal(out.Bytes(), whole.Bytes()) {
		t.Errorf("without changes: %v, or other bytes", err)
	}
}

// What float32 cannot hold is kept of float64.
func TestRewriteF64(t *testing.T) {
	data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(1+1e-12))
	file := mustParse(t, build(`{"a":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]}}`, data))
	var out bytes.Buffer
	err := file.Rewrite(&out, map[string]Change{"a": func(_, _ int, values []float64) { values[0] += 1e-13 }})
	if err != nil {
		t.Fatal(err)
	}
	got := math.Float64frombits(binary.LittleEndian.Uint64(out.Bytes()[out.Len()-8:]))
	if got != 1+1e-12+1e-13 {
		t.Errorf("got %v", got)
	}
}

func TestRewriteRefuses(t *testing.T) {
	file := mustParse(t, build(`{"int":{"dtype":"I32","shape":[1,1],"data_offsets":[0,4]},"row":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"half":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]}}`, make([]byte, 12)))
	for name, c := range map[string]struct {
		add  float64
		want error
		text string
	}{
		"none": {1, ErrNotFound, `tensor "none"`},
		"int":  {1, ErrDType, "I32"},
		"row":  {1, ErrArgument, "shape [1] is no matrix"},
		"half": {70000, ErrArgument, "element [0, 1], 0, becomes too large for F16"},
	} {
		err := file.Rewrite(io.Discard, map[string]Change{name: func(_, _ int, values []float64) { values[len(values)-1] += c.add }})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %v about %q", name, err, c.want, c.text)
		}
	}
	nan := func(_, _ int, values []float64) { values[0] = math.NaN() }
	if err := file.Rewrite(io.Discard, map[string]Change{"half": nan}); !errors.Is(err, ErrArgument) {
		t.Errorf("NaN: %v", err)
	}
}

// A file that shrinks while it is read gives an error, never a short copy.
func TestRewriteOfAShrunkenFile(t *testing.T) {
	whole := build(`{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}`, make([]byte, 8))
	for _, cut := range []int{1, 9} {
		file := mustParse(t, whole)
		file.source = bytes.NewReader(whole[:len(whole)-cut])
		for _, changes := range []map[string]Change{nil, {"a": func(_, _ int, _ []float64) {}}} {
			if err := file.Rewrite(io.Discard, changes); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d bytes less: %v", cut, err)
			}
		}
	}
}
