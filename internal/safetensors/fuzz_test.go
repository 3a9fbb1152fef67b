package safetensors

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"zeroth/internal/testdata"
)

// addReal seeds a fuzz target with a shared file, where there is one.
// testdata.Shared would skip the target, generated seeds and all.
func addReal(f *testing.F, name string) {
	root := os.Getenv("ZEROTH_SHARED")
	if root == "" {
		root = testdata.Repo("../shared/data")
	}
	if whole, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name))); err == nil {
		f.Add(whole)
	}
}

// checkRewrite changes nothing, by a Change that must see every element once and
// in order, and wants the file back; a tensor that cannot be changed is refused.
func checkRewrite(t *testing.T, file *File, tensor Tensor, whole []byte) {
	seen, nan := int64(0), false
	var rewritten bytes.Buffer
	err := file.Rewrite(&rewritten, map[string]Change{tensor.Name: func(row, column int, values []float64) {
		if int64(row)*int64(tensor.Shape[1])+int64(column) != seen || column+len(values) > tensor.Shape[1] {
			t.Fatalf("tensor %q: %d values from [%d, %d] after %d", tensor.Name, len(values), row, column, seen)
		}
		seen += int64(len(values))
		for _, value := range values {
			nan = nan || value != value // its payload may change
		}
	}})
	switch {
	case errors.Is(err, ErrDType), errors.Is(err, ErrArgument) && len(tensor.Shape) != 2:
	case err != nil:
		t.Fatal(err)
	case seen != tensor.Elements() || !nan && !bytes.Equal(rewritten.Bytes(), whole):
		t.Fatalf("tensor %q: %d of %d elements seen, or other bytes written", tensor.Name, seen, tensor.Elements())
	}
}

// FuzzOpen checks that any bytes give an error or a file that keeps New's
// promises, whose float tensors read, and which writes back to the same.
func FuzzOpen(f *testing.F) {
	addReal(f, "models/stories260K/reference/lora_probe.safetensors")
	addReal(f, "models/stories3M/reference/lora_probe.safetensors")
	f.Add(build(`{}`, nil))
	f.Add(build(one(good), make([]byte, 8)))
	f.Add(build(`{"m":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},"n":{"dtype":"F64","shape":[0,2],"data_offsets":[12,12]}}`, make([]byte, 12)))
	f.Add(build(`{"__metadata__":{"a":"\ud83d\ude00"},"b":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},"\u0061":{"dtype":"F16","shape":[],"data_offsets":[4,6]},"e":{"dtype":"F64","shape":[0],"data_offsets":[6,6]}}`, make([]byte, 6)))
	f.Fuzz(func(t *testing.T, whole []byte) {
		file, err := parse(whole)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		checkInvariants(t, file, int64(len(whole)))
		var entries []Entry
		for _, tensor := range file.Tensors() {
			values := make([]float32, tensor.Elements()) // at most 8 per byte, by the checks above
			err := file.ReadF32(tensor.Name, values)
			if err != nil && !errors.Is(err, ErrDType) {
				t.Fatal(err)
			}
			entries = append(entries, Entry{Name: tensor.Name, Shape: tensor.Shape, Data: values})
			checkRewrite(t, file, tensor, whole)
		}
		var encoded bytes.Buffer
		if err := Encode(&encoded, entries, file.Metadata()); err != nil {
			t.Fatal(err)
		}
		again := mustParse(t, encoded.Bytes())
		if len(again.Tensors()) != len(entries) {
			t.Fatalf("%d tensors come back as %d", len(entries), len(again.Tensors()))
		}
	})
}
