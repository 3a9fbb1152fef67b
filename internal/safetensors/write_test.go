package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestEncodeBytes(t *testing.T) {
	var got bytes.Buffer
	err := Encode(&got, []Entry{
		{Name: "b", Shape: []int{1, 2}, Data: []float32{1, -2}},
		{Name: "a", DType: BF16, Shape: []int{1}, Data: []float32{1}},
		{Name: "é\"", DType: F32, Data: []float32{3}},
	}, map[string]string{"z": "<&>", "format": "pt"})
	if err != nil {
		t.Fatal(err)
	}
	header := `{"__metadata__":{"format":"pt","z":"\u003c\u0026\u003e"},` +
		`"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},` +
		`"é\"":{"dtype":"F32","shape":[],"data_offsets":[8,12]},` +
		`"a":{"dtype":"BF16","shape":[1],"data_offsets":[12,14]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := build(header, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0x40, 0x40, 0x80, 0x3f})
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("\n%q\n%q", got.Bytes(), want)
	}
}

func TestWriteReadsBack(t *testing.T) {
	data := make([]float32, 200_000)
	for i := range data {
		data[i] = float32(math.Sin(float64(i))) * float32(i)
	}
	entries := []Entry{
		{Name: "full", Shape: []int{400, 500}, Data: data},
		{Name: "half", DType: F16, Shape: []int{3}, Data: []float32{0.1, 65504, 6e-8}},
		{Name: "brain", DType: BF16, Shape: []int{2}, Data: []float32{0.1, float32(math.Inf(1))}},
		{Name: "none", Shape: []int{0, 4}},
	}
	path := filepath.Join(t.TempDir(), "adapter_model.safetensors")
	for range 2 { // the second replaces the first
		if err := Write(path, entries, map[string]string{"format": "pt"}); err != nil {
			t.Fatal(err)
		}
	}
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, want := range map[string][]float32{
		"full": data, "half": {0.099975586, 65504, 1.0 / (1 << 24)}, "brain": {0.10009765625, float32(math.Inf(1))}, "none": {},
	} {
		got := make([]float32, len(want))
		if err := file.ReadF32(name, got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: error %v, values %v", name, err, got[:min(3, len(got))])
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if length := binary.LittleEndian.Uint64(whole); length%8 != 0 {
		t.Errorf("header of %d bytes", length)
	}
	slices.Reverse(entries)
	var again bytes.Buffer
	if err := Encode(&again, entries, map[string]string{"format": "pt"}); err != nil || !bytes.Equal(again.Bytes(), whole) {
		t.Errorf("another order of entries gives other bytes, error %v", err)
	}
	checkInvariants(t, file, int64(len(whole)))
}

func TestWriteLeavesNothingBehind(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.safetensors")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []Entry{{Name: "w", DType: "I8", Shape: []int{1}, Data: []float32{1}}}, nil); !errors.Is(err, ErrDType) {
		t.Errorf("%v", err)
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != "old" {
		t.Errorf("old file now %q, %v", content, err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v left, %v", entries, err)
	}
	if err := Write(filepath.Join(folder, "absent", "a"), nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	one := []float32{1}
	for name, test := range map[string]struct {
		entries  []Entry
		metadata map[string]string
	}{
		"no name":            {entries: []Entry{{Shape: []int{1}, Data: one}}},
		"metadata's name":    {entries: []Entry{{Name: "__metadata__", Shape: []int{1}, Data: one}}},
		"NUL":                {entries: []Entry{{Name: "a\x00", Shape: []int{1}, Data: one}}},
		"not UTF-8":          {entries: []Entry{{Name: "a\xff", Shape: []int{1}, Data: one}}},
		"long name":          {entries: []Entry{{Name: string(bytes.Repeat([]byte("n"), 1025)), Shape: []int{1}, Data: one}}},
		"twice":              {entries: []Entry{{Name: "a", Data: one}, {Name: "a", Data: one}}},
		"twice, other dtype": {entries: []Entry{{Name: "a", Data: one}, {Name: "a", DType: F16, Data: one}}},
		"shape too large":    {entries: []Entry{{Name: "a", Shape: []int{2}, Data: one}}},
		"shape too small":    {entries: []Entry{{Name: "a", Shape: []int{0}, Data: one}}},
		"negative":           {entries: []Entry{{Name: "a", Shape: []int{-1, -1}, Data: one}}},
		"wraps":              {entries: []Entry{{Name: "a", Shape: []int{math.MaxInt/2 + 1, 4}}}},
		"rank":               {entries: []Entry{{Name: "a", Shape: slices.Repeat([]int{1}, 17), Data: one}}},
		"metadata text":      {metadata: map[string]string{"a": "\xff"}},
		"metadata key":       {metadata: map[string]string{"\xff": "a"}},
	} {
		if err := Encode(io.Discard, test.entries, test.metadata); !errors.Is(err, ErrArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// failing fails after a number of bytes.
type failing struct{ left int }

var errFull = errors.New("disk full")

func (f *failing) Write(data []byte) (int, error) {
	if len(data) > f.left {
		return f.left, errFull
	}
	f.left -= len(data)
	return len(data), nil
}

func TestEncodeReportsWriteErrors(t *testing.T) {
	for _, room := range []int{0, 8, 100} {
		if err := Encode(&failing{room}, []Entry{{Name: "w", Shape: []int{100}, Data: make([]float32, 100)}}, nil); !errors.Is(err, errFull) {
			t.Errorf("room for %d: %v", room, err)
		}
	}
}
