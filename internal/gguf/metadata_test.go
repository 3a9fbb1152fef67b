package gguf

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// every is a file written by ggml with an entry of every type.
func every(t *testing.T) *File {
	t.Helper()
	file, err := Open("testdata/ggml.gguf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return file
}

func TestScalarsWrittenByGGML(t *testing.T) {
	file := every(t)
	for key, want := range map[string]uint64{
		"k.u8": 200, "k.u16": 60000, "k.u32": 4000000000, "k.u64": 18000000000000000000,
	} {
		if got, err := file.Uint(key); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", key, got, err, want)
		}
	}
	for key, want := range map[string]float64{"k.f32": float64(float32(0.1)), "k.f64": 0.1} {
		if got, err := file.Float(key); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", key, got, err, want)
		}
	}
	if got, err := file.Bool("k.bool"); err != nil || !got {
		t.Errorf("k.bool: %v, %v", got, err)
	}
	if got, err := file.String("general.architecture"); err != nil || got != "llama" {
		t.Errorf("architecture %q, %v", got, err)
	}
	if got, err := file.Strings("k.strings"); err != nil || !slices.Equal(got, []string{"a", "", "\u0120the"}) {
		t.Errorf("k.strings: %q, %v", got, err)
	}
	if got, err := file.Ints("k.i32s"); err != nil || !slices.Equal(got, []int64{-1, 2, 3}) {
		t.Errorf("k.i32s: %v, %v", got, err)
	}
	if got, err := file.Floats("k.f32s"); err != nil || !slices.Equal(got, []float32{-0.5, 1e-5}) {
		t.Errorf("k.f32s: %v, %v", got, err)
	}
}

func TestErrorsNameKeyAndTypes(t *testing.T) {
	file := every(t)
	_, signed := file.Uint("k.i8")
	_, wide := file.Uint("k.i64")
	_, missing := file.Uint("k.none")
	_, float := file.Uint("k.f32")
	_, list := file.String("k.strings")
	_, scalar := file.Strings("general.architecture")
	_, whole := file.Float("k.u32")
	_, boolean := file.Bool("k.u8")
	_, ints := file.Ints("k.f32s")
	_, floats := file.Floats("k.i32s")
	for _, test := range []struct {
		err    error
		is     error
		naming []string
	}{
		{signed, ErrType, []string{`"k.i8"`, "an integer from 0", "INT8 -100"}},
		{wide, ErrType, []string{`"k.i64"`, "INT64 -9000000000000000000"}},
		{missing, ErrNotFound, []string{`"k.none"`, "an integer from 0"}},
		{float, ErrType, []string{`"k.f32"`, "an integer from 0", "found FLOAT32"}},
		{list, ErrType, []string{`"k.strings"`, "wanted STRING", "found ARRAY of STRING"}},
		{scalar, ErrType, []string{"wanted ARRAY of STRING", "found STRING"}},
		{whole, ErrType, []string{"wanted FLOAT32 or FLOAT64", "found UINT32"}},
		{boolean, ErrType, []string{"wanted BOOL", "found UINT8"}},
		{ints, ErrType, []string{"wanted ARRAY of integers", "found ARRAY of FLOAT32"}},
		{floats, ErrType, []string{"wanted ARRAY of FLOAT32 or FLOAT64", "found ARRAY of INT32"}},
	} {
		if !errors.Is(test.err, test.is) {
			t.Errorf("error %v, want %v", test.err, test.is)
			continue
		}
		for _, part := range test.naming {
			if !strings.Contains(test.err.Error(), part) {
				t.Errorf("error %q does not tell %q", test.err, part)
			}
		}
	}
}

func TestListsOfEveryWidth(t *testing.T) {
	file := mustParse(t, withMetadata(
		arrayEntry("u8", Uint8, 2, []byte{1, 255}),
		arrayEntry("i8", Int8, 2, []byte{1, 255}),
		arrayEntry("u16", Uint16, 1, []byte{0xfe, 0xff}),
		arrayEntry("i16", Int16, 1, []byte{0xfe, 0xff}),
		arrayEntry("u32", Uint32, 1, u32(math.MaxUint32)),
		arrayEntry("i32", Int32, 1, u32(math.MaxUint32)),
		arrayEntry("u64", Uint64, 1, u64(math.MaxInt64)),
		arrayEntry("i64", Int64, 1, u64(math.MaxUint64)),
		arrayEntry("huge", Uint64, 1, u64(math.MaxInt64+1)),
		arrayEntry("none", Int32, 0, nil),
		arrayEntry("f64", Float64, 1, u64(math.Float64bits(1+1e-12))),
	))
	for key, want := range map[string][]int64{
		"u8": {1, 255}, "i8": {1, -1}, "u16": {65534}, "i16": {-2}, "u32": {math.MaxUint32}, "i32": {-1},
		"u64": {math.MaxInt64}, "i64": {-1}, "none": {},
	} {
		if got, err := file.Ints(key); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", key, got, err, want)
		}
	}
	minusOne := mustParse(t, withMetadata(scalarEntry("k", Int32, u32(math.MaxUint32))))
	if _, err := minusOne.Uint("k"); !errors.Is(err, ErrType) {
		t.Errorf("-1: %v", err)
	}
	if got, err := file.Ints("huge"); !errors.Is(err, ErrType) || got != nil {
		t.Errorf("huge: %v, %v", got, err)
	}
	if got, err := file.Floats("f64"); err != nil || !slices.Equal(got, []float32{1}) {
		t.Errorf("f64: %v, %v", got, err)
	}
}

func TestWideningIsBounded(t *testing.T) {
	file := mustParse(t, withMetadata(
		arrayEntry("bytes", Uint8, 3<<20, make([]byte, 3<<20)),
		arrayEntry("few", Uint8, 100_000, make([]byte, 100_000)),
	))
	if _, err := file.Ints("bytes"); !errors.Is(err, ErrType) {
		t.Errorf("three million bytes as int64: %v", err)
	}
	if got, err := file.Ints("few"); err != nil || len(got) != 100_000 {
		t.Errorf("%d, %v", len(got), err)
	}
}

// TestLongTexts crosses the scanner's buffer in every way.
func TestLongTexts(t *testing.T) {
	lengths := []int{0, 1, scanBytes - 9, scanBytes - 8, scanBytes, 3*scanBytes + 1, 2}
	var elements []byte
	var want []string
	for i, length := range lengths {
		want = append(want, strings.Repeat(string(rune('a'+i)), length))
		elements = append(elements, text(want[i])...)
	}
	numbers := make([]byte, 0, 8*20_000)
	for i := range 20_000 {
		numbers = append(numbers, u64(uint64(i))...)
	}
	file := mustParse(t, withMetadata(
		arrayEntry("texts", String, uint64(len(want)), elements),
		arrayEntry("numbers", Int64, 20_000, numbers),
		scalarEntry("after", String, text(want[5])),
	))
	if got, err := file.Strings("texts"); err != nil || !slices.Equal(got, want) {
		t.Errorf("texts differ, error %v", err)
	}
	if got, err := file.String("after"); err != nil || got != want[5] {
		t.Errorf("text differs, error %v", err)
	}
	got, err := file.Ints("numbers")
	if err != nil || len(got) != 20_000 {
		t.Fatalf("%d numbers, error %v", len(got), err)
	}
	for i, number := range got {
		if number != int64(i) {
			t.Fatalf("number %d is %d", i, number)
		}
	}
}
