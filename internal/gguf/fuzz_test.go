package gguf

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"zeroth/internal/testdata"
)

// addReal seeds a fuzz target with the beginning of a shared file, where there
// is one. testdata.Shared would skip the target, generated seeds and all.
func addReal(f *testing.F, name string) {
	root := os.Getenv("ZEROTH_SHARED")
	if root == "" {
		root = testdata.Repo("../shared/data")
	}
	if whole, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name))); err == nil {
		f.Add(whole)
		f.Add(whole[:min(len(whole), 2000)])
	}
}

// readAll asks for every value by every accessor and reads every tensor: each
// gives a result or one of the package's errors.
func readAll(t *testing.T, file *File) {
	t.Helper()
	for _, entry := range file.Metadata() {
		reads := 0
		for _, read := range []func(string) error{
			func(key string) error { _, err := file.Uint(key); return err },
			func(key string) error { _, err := file.Float(key); return err },
			func(key string) error { _, err := file.Bool(key); return err },
			func(key string) error { _, err := file.String(key); return err },
			func(key string) error { _, err := file.Strings(key); return err },
			func(key string) error { _, err := file.Floats(key); return err },
			func(key string) error { _, err := file.Ints(key); return err },
		} {
			err := read(entry.Key)
			if err == nil {
				reads++
			} else if !errors.Is(err, ErrType) {
				t.Fatalf("%+v: %v", entry, err)
			}
		}
		if reads > 1 {
			t.Fatalf("%+v is read by %d accessors", entry, reads)
		}
	}
	for _, tensor := range file.Tensors() {
		err := file.ReadF32(tensor.Name, make([]float32, tensor.Elements()))
		if err != nil && (tensor.Type.Decodable() || !errors.Is(err, ErrUnsupported)) {
			t.Fatalf("%+v: %v", tensor, err)
		}
	}
}

// FuzzOpen checks that any bytes give an error or a file that keeps New's
// promises, whose values and tensors can be read.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"gpt-2", "llama-spm", "gpt-neox"} {
		addReal(f, "tokenizers/llama_cpp_vectors/ggml-vocab-"+name+".gguf")
	}
	for _, path := range []string{"testdata/ggml.gguf", "testdata/adapter.gguf"} {
		whole, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(whole)
	}
	f.Add(small())
	for _, test := range malformed {
		f.Add(test.file)
	}
	f.Fuzz(func(t *testing.T, whole []byte) {
		file, err := New(bytes.NewReader(whole), int64(len(whole)))
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		checkInvariants(t, file, int64(len(whole)))
		readAll(t, file)
	})
}
