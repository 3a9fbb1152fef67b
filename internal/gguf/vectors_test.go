package gguf

import (
	"bufio"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestBlocksAsGGML compares every decoder, bit for bit, with what ggml made of
// the same blocks: see testdata/README.md.
func TestBlocksAsGGML(t *testing.T) {
	source, err := os.Open("testdata/blocks.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	seen := map[Type]int{}
	for lines := bufio.NewScanner(source); lines.Scan(); {
		parts := strings.Fields(lines.Text())
		kind := typeNamed(t, parts[0])
		block, err := hex.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		known, _ := layoutOf(kind)
		if len(block) != known.bytes || len(parts[2]) != 8*known.elements {
			t.Fatalf("%v: block of %d bytes for %d letters", kind, len(block), len(parts[2]))
		}
		got := make([]float32, known.elements)
		known.decode(got, block)
		for i, value := range got {
			bits, err := strconv.ParseUint(parts[2][8*i:8*i+8], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			if math.Float32bits(value) != uint32(bits) {
				t.Fatalf("%v: element %d is %g, ggml has %g", kind, i, value, math.Float32frombits(uint32(bits)))
			}
		}
		seen[kind]++
	}
	for _, a := range accounts() {
		if seen[a.t] != 3 {
			t.Errorf("%v: %d blocks, want 3", a.t, seen[a.t])
		}
	}
}

func typeNamed(t *testing.T, name string) Type {
	t.Helper()
	for number := range Type(64) {
		if number.String() == name {
			return number
		}
	}
	t.Fatalf("no type %s", name)
	return 0
}

// TestTensorsWrittenByGGML reads the tensors of a file that ggml wrote. The
// numbers are multiples of 1/64 below 2, which F16 and BF16 hold exactly.
func TestTensorsWrittenByGGML(t *testing.T) {
	file := every(t)
	if len(file.Tensors()) != 7 {
		t.Fatalf("%d tensors", len(file.Tensors()))
	}
	want := make([]float32, 512)
	if err := file.ReadF32("w.f32", want); err != nil {
		t.Fatal(err)
	}
	if slices.Max(want) < 1.9 || slices.Min(want) > -1.9 {
		t.Errorf("numbers from %g to %g", slices.Min(want), slices.Max(want))
	}
	for name, allowed := range map[string]float64{
		"w.f16": 0, "w.bf16": 0,
		"w.q8_0": 2. / 127, // a step, half of it and more for the scale's rounding
		"w.q6_K": 4. / 63,
		"w.q4_K": 4. / 15,
	} {
		tensor, found := file.Lookup(name)
		if !found || !slices.Equal(tensor.Shape, []int{2, 256}) || !strings.EqualFold(tensor.Type.String(), name[2:]) {
			t.Errorf("%s: %+v, found %v", name, tensor, found)
			continue
		}
		got := make([]float32, 512)
		if err := file.ReadF32(name, got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range got {
			if miss := math.Abs(float64(got[i] - want[i])); !(miss <= allowed) {
				t.Errorf("%s: element %d is %g, was %g", name, i, got[i], want[i])
				break
			}
		}
	}
	if tensor, _ := file.Lookup("w.iq4_nl"); tensor.Type.Decodable() || tensor.Bytes != 2*8*18 {
		t.Errorf("%+v", tensor)
	}
}

// A row read by itself is that of a whole read; a part of a block is refused.
func TestReadPart(t *testing.T) {
	file := every(t)
	for _, tensor := range file.Tensors() {
		if !tensor.Type.Decodable() {
			continue
		}
		whole, row := make([]float32, 512), make([]float32, 256)
		if err := file.ReadF32(tensor.Name, whole); err != nil {
			t.Fatal(err)
		}
		for first := range 2 {
			if err := file.ReadPart(tensor.Name, int64(256*first), row); err != nil || !slices.Equal(row, whole[256*first:256*first+256]) {
				t.Errorf("%s: row %d differs, error %v", tensor.Name, first, err)
			}
		}
		for _, wrong := range []struct {
			first int64
			count int
		}{{-256, 256}, {512, 256}, {math.MaxInt64 - 255, 256}, {256, 512}} {
			if err := file.ReadPart(tensor.Name, wrong.first, make([]float32, wrong.count)); !errors.Is(err, ErrArgument) {
				t.Errorf("%s: %d from %d: %v", tensor.Name, wrong.count, wrong.first, err)
			}
		}
		if block, _ := layoutOf(tensor.Type); block.elements > 1 {
			for _, wrong := range []int64{1, int64(block.elements) - 1} {
				if err := file.ReadPart(tensor.Name, wrong, make([]float32, block.elements)); !errors.Is(err, ErrArgument) {
					t.Errorf("%s: a block from element %d: %v", tensor.Name, wrong, err)
				}
				if err := file.ReadPart(tensor.Name, 0, make([]float32, wrong)); !errors.Is(err, ErrArgument) {
					t.Errorf("%s: %d elements: %v", tensor.Name, wrong, err)
				}
			}
		}
	}
}
