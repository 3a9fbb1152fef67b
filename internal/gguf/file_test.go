package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"zeroth/internal/testdata"
)

// TestRealVocabularies reads the files that SOURCES.md lists, with the counts
// it gives.
func TestRealVocabularies(t *testing.T) {
	for _, test := range []struct {
		file                   string
		architecture, model    string
		tokens, merges, scores int
		token                  map[int]string
	}{
		{"gpt-2", "gpt2", "gpt2", 50257, 50000, 0, map[int]string{0: "!", 50256: "<|endoftext|>", 262: "\u0120the"}},
		{"llama-spm", "llama", "llama", 32000, 0, 32000, map[int]string{0: "<unk>", 1: "<s>", 2: "</s>", 13: "<0x0A>", 278: "\u2581the"}},
		{"gpt-neox", "gptneox", "gpt2", 50432, 50009, 0, map[int]string{0: "<|endoftext|>", 253: "\u0120the"}},
	} {
		t.Run(test.file, func(t *testing.T) {
			path := testdata.Shared(t, "tokenizers/llama_cpp_vectors/ggml-vocab-"+test.file+".gguf")
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
			if len(file.Tensors()) != 0 {
				t.Errorf("%d tensors", len(file.Tensors()))
			}
			architecture, err := file.String("general.architecture")
			model, other := file.String("tokenizer.ggml.model")
			if architecture != test.architecture || model != test.model || errors.Join(err, other) != nil {
				t.Errorf("architecture %q, tokenizer %q, %v", architecture, model, errors.Join(err, other))
			}
			tokens, err := file.Strings("tokenizer.ggml.tokens")
			if err != nil || len(tokens) != test.tokens {
				t.Fatalf("%d tokens, %v", len(tokens), err)
			}
			for id, want := range test.token {
				if tokens[id] != want {
					t.Errorf("token %d is %q, want %q", id, tokens[id], want)
				}
			}
			types, err := file.Ints("tokenizer.ggml.token_type")
			if err != nil || len(types) != test.tokens {
				t.Errorf("%d token types, %v", len(types), err)
			}
			merges, err := file.Strings("tokenizer.ggml.merges")
			if len(merges) != test.merges || (err == nil) != (test.merges > 0) {
				t.Errorf("%d merges, %v", len(merges), err)
			}
			scores, err := file.Floats("tokenizer.ggml.scores")
			if len(scores) != test.scores || (err == nil) != (test.scores > 0) {
				t.Errorf("%d scores, %v", len(scores), err)
			}
			if test.scores > 0 {
				checkScores(t, scores)
			}
		})
	}
}

// checkScores compares with the same vocabulary in llama2.c's layout: a uint32,
// then for each token its score as float32, its length as uint32, its bytes.
func checkScores(t *testing.T, scores []float32) {
	t.Helper()
	whole, err := os.ReadFile(testdata.Shared(t, "tokenizers/llama2/tokenizer.bin"))
	if err != nil {
		t.Fatal(err)
	}
	at := 4
	for id, score := range scores {
		want := math.Float32frombits(binary.LittleEndian.Uint32(whole[at:]))
		if score != want {
			t.Fatalf("token %d has score %g, want %g", id, score, want)
		}
		at += 8 + int(binary.LittleEndian.Uint32(whole[at+4:]))
	}
	if at != len(whole) {
		t.Errorf("%d of %d bytes compared", at, len(whole))
	}
}

// TestVocabularyMemory holds opening a vocabulary to the scanner's buffer, and
// reading its lists to twice the file.
func TestVocabularyMemory(t *testing.T) {
	whole, err := os.ReadFile(testdata.Shared(t, "tokenizers/llama_cpp_vectors/ggml-vocab-gpt-2.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	var before, opened, read runtime.MemStats
	runtime.ReadMemStats(&before)
	file, err := parse(whole)
	runtime.ReadMemStats(&opened)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"tokenizer.ggml.tokens", "tokenizer.ggml.merges"} {
		if _, err := file.Strings(key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := file.Ints("tokenizer.ggml.token_type"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&read)
	if used := opened.TotalAlloc - before.TotalAlloc; used > scanBytes+16<<10 {
		t.Errorf("opening allocates %d bytes", used)
	}
	if used := read.TotalAlloc - opened.TotalAlloc; used > uint64(2*len(whole)+4*scanBytes) {
		t.Errorf("reading allocates %d bytes of a file of %d", used, len(whole))
	}
}

func TestShapesAreRowMajor(t *testing.T) {
	file := mustParse(t, withTensors(132, row("w", F32, 0, 4, 3, 2), row("scalar", F32, 128)))
	w, _ := file.Lookup("w")
	if !slices.Equal(w.Shape, []int{2, 3, 4}) || w.Bytes != 96 || w.Elements() != 24 {
		t.Errorf("%+v", w)
	}
	if scalar, _ := file.Lookup("scalar"); len(scalar.Shape) != 0 || scalar.Bytes != 4 || scalar.Elements() != 1 {
		t.Errorf("%+v", scalar)
	}
}

func TestReadF32Refuses(t *testing.T) {
	file := mustParse(t, withTensors(128, row("w", F32, 0, 4), row("iq", 20, 32, 32), row("int", 26, 64, 2)))
	for _, test := range []struct {
		name string
		size int
		want error
	}{
		{"iq", 32, ErrUnsupported},
		{"int", 2, ErrUnsupported},
		{"none", 4, ErrNotFound},
		{"w", 3, ErrArgument},
		{"w", 5, ErrArgument},
		{"w", 0, ErrArgument},
	} {
		if err := file.ReadF32(test.name, make([]float32, test.size)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if err := file.ReadF32("iq", make([]float32, 32)); !bytes.Contains([]byte(err.Error()), []byte("IQ4_NL")) {
		t.Errorf("%q does not name the type", err)
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

// TestReadF32Streams reads tensors over several chunks with ragged ends, of a
// plain type and of one whose blocks do not divide a chunk.
func TestReadF32Streams(t *testing.T) {
	const plain, blocks = 300_001, 8_000
	data := make([]byte, 0, 4*plain+34*blocks+64)
	for i := range plain {
		data = append(data, u32(uint32(i%1000)<<20)...)
	}
	data = append(data, make([]byte, padding(4*plain, 32))...)
	second := uint64(len(data))
	for i := range blocks {
		data = append(append(data, 0, 0x3c), bytes.Repeat([]byte{byte(i)}, 32)...) // d = 1
	}
	whole := build(nil, [][]byte{row("plain", F32, 0, plain), row("blocks", Q8_0, second, 32, blocks)}, data)
	source := &countingReader{ReaderAt: bytes.NewReader(whole)}
	file, err := New(source, int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, plain)
	want := make([]float32, plain)
	decodeF32(want, data)
	if err := file.ReadF32("plain", got); err != nil || !slices.Equal(got, want) {
		t.Errorf("plain values differ, error %v", err)
	}
	got = make([]float32, 32*blocks)
	if err := file.ReadF32("blocks", got); err != nil {
		t.Fatal(err)
	}
	for i, value := range got {
		if value != float32(int8(i/32)) {
			t.Fatalf("element %d is %g", i, value)
		}
	}
	if source.largest > chunkBytes {
		t.Errorf("a read of %d bytes at once", source.largest)
	}
}

func TestFileThatShrinks(t *testing.T) {
	whole := small()
	file := mustParse(t, whole)
	file.source = bytes.NewReader(whole[:len(whole)-1])
	if err := file.ReadF32("s", make([]float32, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if _, err := New(bytes.NewReader(whole[:100]), int64(len(whole))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// TestFileThatChanges rewrites lengths under an open file's feet.
func TestFileThatChanges(t *testing.T) {
	whole := small()
	file := mustParse(t, whole)
	entry, _ := file.Find("tokens")
	whole[entry.offset] = 200
	if _, err := file.Strings("tokens"); !errors.Is(err, ErrInvalid) {
		t.Errorf("grown text: %v", err)
	}
	whole[entry.offset] = 11 // to the end: nothing is left for the others
	if _, err := file.Strings("tokens"); !errors.Is(err, ErrInvalid) {
		t.Errorf("grown text: %v", err)
	}
}

// failingReader fails once its budget of reads is spent.
type failingReader struct {
	io.ReaderAt
	budget int
}

func (r *failingReader) ReadAt(buffer []byte, offset int64) (int, error) {
	if r.budget--; r.budget < 0 {
		return 0, os.ErrPermission
	}
	return r.ReaderAt.ReadAt(buffer, offset)
}

// TestSourceErrorsComeThrough lets each read fail in turn.
func TestSourceErrorsComeThrough(t *testing.T) {
	whole := build([][]byte{
		scalarEntry(alignmentKey, Uint32, u32(32)),
		scalarEntry("long", String, text(string(make([]byte, 2*scanBytes)))),
		arrayEntry("bools", Bool, 1, []byte{1}),
		arrayEntry("texts", String, 1, text("a")),
	}, [][]byte{row("a", F32, 0, 1)}, make([]byte, 4))
	source := &failingReader{ReaderAt: bytes.NewReader(whole), budget: 1000}
	if _, err := New(source, int64(len(whole))); err != nil {
		t.Fatal(err)
	}
	for budget := range 1000 - source.budget {
		if _, err := New(&failingReader{source.ReaderAt, budget}, int64(len(whole))); !errors.Is(err, os.ErrPermission) {
			t.Errorf("read %d fails: %v", budget, err)
		}
	}
	file := mustParse(t, small())
	file.source = &failingReader{}
	_, number := file.Uint("llama.block_count")
	_, boolean := file.Bool("b")
	_, word := file.String("general.architecture")
	_, words := file.Strings("tokens")
	_, numbers := file.Ints("types")
	for i, err := range []error{number, boolean, word, words, numbers, file.ReadF32("a", make([]float32, 6))} {
		if !errors.Is(err, os.ErrPermission) {
			t.Errorf("read %d: %v", i, err)
		}
	}
}

func TestSeveralReadersAtOnce(t *testing.T) {
	file := mustParse(t, small())
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				tokens, err := file.Strings("tokens")
				if err != nil || !slices.Equal(tokens, []string{"<s>", "", "a"}) {
					t.Errorf("%q, %v", tokens, err)
				}
				if err := file.ReadF32("q", make([]float32, 32)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	folder := t.TempDir()
	if _, err := Open(folder); !errors.Is(err, ErrInvalid) {
		t.Errorf("folder: %v", err)
	}
	broken := filepath.Join(folder, "broken")
	if err := os.WriteFile(broken, small()[:50], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(broken); !errors.Is(err, ErrInvalid) || !bytes.Contains([]byte(err.Error()), []byte(broken)) {
		t.Errorf("broken file: %v", err)
	}
	if _, err := Open(filepath.Join(folder, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestOpenRefusesAPipe would hang if Open opened it.
func TestOpenRefusesAPipe(t *testing.T) {
	if _, err := Open(testdata.Pipe(t)); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}
