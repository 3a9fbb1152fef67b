package safetensors

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"zeroth/internal/testdata"
)

func TestReadsRealFiles(t *testing.T) {
	for _, test := range []struct {
		path    string
		tensors int
		name    string
		dtype   string
		shape   []int
	}{
		{"models/reviews-1m/model.safetensors", 47, "model.layers.4.mlp.down_proj.weight", BF16, []int{128, 352}},
		{"models/stories260K/model.safetensors", 47, "model.embed_tokens.weight", F32, []int{512, 64}},
		{"models/tiny-random-qwen3/model.safetensors", 24, "model.norm.weight", F16, []int{64}},
		{"models/stories260K/reference/lora_probe.safetensors", 20, "model.layers.0.self_attn.v_proj.lora_B.weight", F32, []int{32, 4}},
	} {
		t.Run(test.path, func(t *testing.T) {
			path := testdata.Shared(t, test.path)
			file, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if len(file.Tensors()) != test.tensors {
				t.Errorf("%d tensors, want %d", len(file.Tensors()), test.tensors)
			}
			if file.Metadata()["format"] != "pt" {
				t.Errorf("metadata %v", file.Metadata())
			}
			tensor, found := file.Lookup(test.name)
			if !found || tensor.DType != test.dtype || !slices.Equal(tensor.Shape, test.shape) {
				t.Fatalf("%+v, found %v", tensor, found)
			}
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			checkInvariants(t, file, int64(len(whole)))
			got := make([]float32, tensor.Elements())
			if err := file.ReadF32(test.name, got); err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, value := range got {
				sum += math.Abs(float64(value))
			}
			// Trained or not, weights are neither all zero nor huge.
			if mean := sum / float64(len(got)); !(mean > 1e-4 && mean < 10) {
				t.Errorf("mean magnitude %g", mean)
			}
		})
	}
}

// checkInvariants restates what New promises, by another road than New's.
func checkInvariants(t *testing.T, file *File, size int64) {
	t.Helper()
	seen := map[string]bool{}
	covered := int64(0)
	for i, tensor := range file.Tensors() {
		if seen[tensor.Name] {
			t.Fatalf("%q twice", tensor.Name)
		}
		seen[tensor.Name] = true
		if tensor.Offset < 8 || tensor.Bytes < 0 || tensor.Offset+tensor.Bytes > size {
			t.Fatalf("%+v outside a file of %d bytes", tensor, size)
		}
		if i > 0 {
			before := file.Tensors()[i-1]
			if before.Offset+before.Bytes != tensor.Offset {
				t.Fatalf("%+v does not follow %+v", tensor, before)
			}
		}
		covered += tensor.Bytes
		if again, found := file.Lookup(tensor.Name); !found || again.Offset != tensor.Offset {
			t.Fatalf("lookup of %q gives %+v", tensor.Name, again)
		}
	}
	if len(seen) > 0 && covered+file.Tensors()[0].Offset != size {
		t.Fatalf("tensors cover %d bytes, file has %d", covered, size)
	}
}

func TestReadF32Converts(t *testing.T) {
	file := mustParse(t, build(`{"d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},`+
		`"h":{"dtype":"F16","shape":[2],"data_offsets":[16,20]},`+
		`"b":{"dtype":"BF16","shape":[],"data_offsets":[20,22]},`+
		`"i":{"dtype":"I16","shape":[1],"data_offsets":[22,24]},`+
		`"e":{"dtype":"F32","shape":[3,0],"data_offsets":[24,24]}}`,
		[]byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 1, 0, 0, 0, 0, 0, 0xf0, 0xbf, // 1.5, −1−2⁻⁵²
			0x00, 0x3e, 0x01, 0x80, // 1.5, −2⁻²⁴
			0xc0, 0x3f, 7, 0}))
	for name, want := range map[string][]float32{
		"d": {1.5, -1}, "h": {1.5, -1.0 / (1 << 24)}, "b": {1.5}, "e": {},
	} {
		got := make([]float32, len(want))
		if err := file.ReadF32(name, got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
	}
	for _, test := range []struct {
		name string
		size int
		want error
	}{{"i", 1, ErrDType}, {"x", 1, ErrNotFound}, {"d", 1, ErrArgument}, {"d", 3, ErrArgument}} {
		if err := file.ReadF32(test.name, make([]float32, test.size)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

// countingReader notes the largest single read.
type countingReader struct {
	io.ReaderAt
	largest int
}

func (c *countingReader) ReadAt(buffer []byte, offset int64) (int, error) {
	c.largest = max(c.largest, len(buffer))
	return c.ReaderAt.ReadAt(buffer, offset)
}

func TestReadF32Streams(t *testing.T) {
	data := make([]float32, 300_001) // 1.2 MB: several chunks and a ragged end
	for i := range data {
		data[i] = float32(i)
	}
	var encoded bytes.Buffer
	if err := Encode(&encoded, []Entry{{Name: "w", Shape: []int{len(data)}, Data: data}}, nil); err != nil {
		t.Fatal(err)
	}
	source := &countingReader{ReaderAt: bytes.NewReader(encoded.Bytes())}
	file, err := New(source, int64(encoded.Len()))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, len(data))
	if err := file.ReadF32("w", got); err != nil || !slices.Equal(got, data) {
		t.Fatalf("values differ, error %v", err)
	}
	if source.largest > chunkBytes {
		t.Errorf("a read of %d bytes at once", source.largest)
	}
}

func TestFileThatShrinks(t *testing.T) {
	whole := build(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, make([]byte, 8))
	file, err := New(bytes.NewReader(whole[:len(whole)-1]), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.ReadF32("w", make([]float32, 2)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	folder := t.TempDir()
	if _, err := Open(folder); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(folder, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// A part is what a whole read gives of it, whatever the dtype.
func TestReadPart(t *testing.T) {
	file := mustParse(t, build(`{"d":{"dtype":"F64","shape":[3],"data_offsets":[0,24]},`+
		`"h":{"dtype":"F16","shape":[2,2],"data_offsets":[24,32]},`+
		`"b":{"dtype":"BF16","shape":[3],"data_offsets":[32,38]},`+
		`"f":{"dtype":"F32","shape":[2],"data_offsets":[38,46]}}`,
		[]byte("........@@@@@@@@????????"+"0011"+"2233"+"445566"+"0@@?1AA?")))
	for _, tensor := range file.Tensors() {
		whole := make([]float32, tensor.Elements())
		if err := file.ReadF32(tensor.Name, whole); err != nil {
			t.Fatal(err)
		}
		for first := range len(whole) + 1 {
			for last := first; last <= len(whole); last++ {
				part := make([]float32, last-first)
				if err := file.ReadPart(tensor.Name, int64(first), part); err != nil || !slices.Equal(part, whole[first:last]) {
					t.Errorf("%s: %d to %d: %v, %v, want %v", tensor.Name, first, last, part, err, whole[first:last])
				}
			}
		}
		for _, wrong := range []struct {
			first int64
			count int
		}{{-1, 1}, {tensor.Elements(), 1}, {math.MaxInt64, 1}, {1, len(whole)}} {
			if err := file.ReadPart(tensor.Name, wrong.first, make([]float32, wrong.count)); !errors.Is(err, ErrArgument) {
				t.Errorf("%s: %d from %d: %v", tensor.Name, wrong.count, wrong.first, err)
			}
		}
	}
}

// TestOpenRefusesAPipe would hang if Open opened it.
func TestOpenRefusesAPipe(t *testing.T) {
	if _, err := Open(testdata.Pipe(t)); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}
