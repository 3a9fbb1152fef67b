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

// FuzzOpen checks that any bytes give an error or a file that keeps New's
// promises, whose float tensors read, and which writes back to the same.
func FuzzOpen(f *testing.F) {
	addReal(f, "models/stories260K/reference/lora_probe.safetensors")
	addReal(f, "models/stories3M/reference/lora_probe.safetensors")
	f.Add(build(`{}`, nil))
	f.Add(build(one(good), make([]byte, 8)))
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
