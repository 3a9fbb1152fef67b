package importer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func parseLlama2c(file []byte) (*llama2c, error) {
	return newLlama2c(bytes.NewReader(file), int64(len(file)), "test.bin")
}

func TestLlama2cVersions(t *testing.T) {
	for _, tied := range []bool{true, false} {
		for version := range 3 {
			t.Run(fmt.Sprintf("v%d tied %v", version, tied), func(t *testing.T) {
				config, groupSize := small(tied), 0
				if version == 2 {
					groupSize = 384 // eight rows of 48, and no divisor of a chunk
					config.VocabSize = 1600
				}
				weights := randomWeights(config, groupSize)
				path := filepath.Join(t.TempDir(), "model.bin")
				if err := os.WriteFile(path, buildLlama2c(config, weights, version, groupSize), 0o600); err != nil {
					t.Fatal(err)
				}
				checkpoint := mustOpen(t, path)
				if checkpoint.Config() != config {
					t.Errorf("%+v\n%+v", checkpoint.Config(), config)
				}
				if want := fmt.Sprintf("llama2.c v%d model.bin", version); checkpoint.Source() != want {
					t.Error(checkpoint.Source())
				}
				if err := Validate(checkpoint); err != nil {
					t.Error(err)
				}
				checkWeights(t, checkpoint, weights)
			})
		}
	}
}

func TestLlama2cGroupSizes(t *testing.T) {
	config := small(false)
	for _, groupSize := range []int{1, 3, 64, 1152} { // of 1152, k and v are one group
		if config.VocabSize = 48; groupSize == 1 {
			config.VocabSize = 2000 // more than one chunk
		}
		weights := randomWeights(config, groupSize)
		checkpoint, err := parseLlama2c(buildLlama2c(config, weights, 2, groupSize))
		if err != nil {
			t.Fatal(err)
		}
		checkWeights(t, checkpoint, weights)
	}
}

func TestLlama2cWrongReads(t *testing.T) {
	file := buildLlama2c(small(true), randomWeights(small(true), 0), 1, 0)
	checkpoint, err := parseLlama2c(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"lm_head.weight", "model.layers.3.mlp.up_proj.weight", "model.layers.0.model.norm.weight",
		"mlp.up_proj.weight", "model.layers.0.", "", "model.layers.00.mlp.up_proj.weight",
	} {
		if err := checkpoint.ReadF32(name, nil); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := checkpoint.Tensor(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, size := range []int{0, 47, 49} {
		if err := checkpoint.ReadF32("model.norm.weight", make([]float32, size)); !errors.Is(err, ErrArgument) {
			t.Errorf("%d: %v", size, err)
		}
	}
	shrunk := &llama2c{source: bytes.NewReader(file[:300]), config: checkpoint.config, sections: checkpoint.sections}
	if err := shrunk.ReadF32("model.norm.weight", make([]float32, 48)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// hollow is a large file of zeros behind a header.
type hollow struct {
	header  []byte
	largest int
}

func (h *hollow) ReadAt(buffer []byte, offset int64) (int, error) {
	h.largest = max(h.largest, len(buffer))
	clear(buffer)
	if offset < int64(len(h.header)) {
		copy(buffer, h.header[offset:])
	}
	return len(buffer), nil
}

func TestOpeningSevenBillionReadsAHeader(t *testing.T) {
	var header []byte
	for _, size := range []int32{4096, 11008, 32, 32, 32, -32000, 2048} {
		header = binary.LittleEndian.AppendUint32(header, uint32(size))
	}
	source := &hollow{header: header}
	const parameters = 6_738_415_616 // Llama 2 7B, as published
	const bytes = 28 + 4*(parameters+2048*128)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	checkpoint, err := newLlama2c(source, bytes, "7b.bin")
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<10 || source.largest > 256 {
		t.Errorf("%d bytes allocated, largest read %d", used, source.largest)
	}
	if err := checkpoint.ReadF32("model.layers.31.self_attn.o_proj.weight", make([]float32, 4096*4096)); err != nil {
		t.Error(err)
	}
	if source.largest > 256<<10 {
		t.Errorf("largest read %d bytes", source.largest)
	}
}

// patched returns a copy of file with the int32 at offset replaced.
func patched(file []byte, offset int, value int32) []byte {
	file = bytes.Clone(file)
	binary.LittleEndian.PutUint32(file[offset:], uint32(value))
	return file
}

func TestMalformedLlama2c(t *testing.T) {
	weights := randomWeights(small(true), 0)
	v0, v1 := buildLlama2c(small(true), weights, 0, 0), buildLlama2c(small(true), weights, 1, 0)
	v2 := buildLlama2c(small(true), weights, 2, 48)
	const dim, hidden, layers, heads, kvHeads, vocab, positions = 0, 4, 8, 12, 16, 20, 24
	const least, most = -1 << 31, 1<<31 - 1
	withByte := func(file []byte, offset int, value byte) []byte {
		file = bytes.Clone(file)
		file[offset] = value
		return file
	}
	for _, test := range []struct {
		name string
		file []byte
		want string // part of the error
	}{
		{"v0 cut before its last size", v0[:27], "27 bytes"},
		{"v0 header alone", v0[:28], "asks for"},
		{"v0 one byte short", v0[:len(v0)-1], "asks for"},
		{"v0 one byte long", append(bytes.Clone(v0), 0), "asks for"},
		{"v0 without RoPE tables", v0[:len(v0)-4*10*24], "asks for"},
		{"v0 dim 0", patched(v0, dim, 0), "dim 0"},
		{"v0 dim negative", patched(v0, dim, -48), "dim -48"},
		{"v0 dim least", patched(v0, dim, least), "dim -2147483648"},
		{"v0 dim most", patched(v0, dim, most), "dim 2147483647"},
		{"v0 dim absurd", patched(v0, dim, 1<<21), "dim 2097152"},
		{"v0 dim no multiple of heads", patched(v0, dim, 49), "no multiple of n_heads"},
		{"v0 odd head", patched(v0, dim, 46), "is odd"},
		{"v0 dim another", patched(v0, dim, 52), "asks for"},
		{"v0 hidden_dim 0", patched(v0, hidden, 0), "hidden_dim 0"},
		{"v0 hidden_dim negative", patched(v0, hidden, -1), "hidden_dim -1"},
		{"v0 hidden_dim absurd", patched(v0, hidden, most), "hidden_dim 2147483647"},
		{"v0 hidden_dim another", patched(v0, hidden, 97), "asks for"},
		{"v0 n_layers 0", patched(v0, layers, 0), "n_layers 0"},
		{"v0 n_layers negative", patched(v0, layers, -3), "n_layers -3"},
		{"v0 n_layers absurd", patched(v0, layers, 5000), "n_layers 5000"},
		{"v0 one layer more", patched(v0, layers, 4), "asks for"},
		{"v0 n_heads 0", patched(v0, heads, 0), "n_heads 0"},
		{"v0 n_heads negative", patched(v0, heads, -2), "n_heads -2"},
		{"v0 n_heads above dim", patched(v0, heads, 96), "no multiple of n_heads"},
		{"v0 n_kv_heads 0", patched(v0, kvHeads, 0), "n_kv_heads 0"},
		{"v0 n_kv_heads negative", patched(v0, kvHeads, -1), "n_kv_heads -1"},
		{"v0 n_kv_heads above n_heads", patched(v0, kvHeads, 4), "no multiple of n_kv_heads"},
		{"v0 n_kv_heads another", patched(v0, kvHeads, 2), "asks for"},
		{"v0 vocab_size 0", patched(v0, vocab, 0), "vocab_size 0"},
		{"v0 vocab_size least", patched(v0, vocab, least), "vocab_size 2147483648"},
		{"v0 vocab_size absurd", patched(v0, vocab, most), "vocab_size 2147483647"},
		{"v0 tied said untied", patched(v0, vocab, -40), "asks for"},
		{"v0 max_seq_len 0", patched(v0, positions, 0), "max_seq_len 0"},
		{"v0 max_seq_len negative", patched(v0, positions, -10), "max_seq_len -10"},
		{"v0 max_seq_len absurd", patched(v0, positions, most), "max_seq_len 2147483647"},
		{"v0 max_seq_len another", patched(v0, positions, 11), "asks for"},
		{"magic alone", append([]byte("24ka\x02\x00\x00\x00"), make([]byte, 24)...), "header of 32 bytes"},
		{"magic backwards", append([]byte("ak42"), v1[4:]...), "dim"},
		{"version 0", patched(v1, 4, 0), "version 0"},
		{"version 3", patched(v1, 4, 3), "version 3"},
		{"version negative", patched(v1, 4, -1), "version -1"},
		{"v1 said v2", patched(v1, 4, 2), "group size 0"},
		{"v2 said v1", patched(v2, 4, 1), "header byte 37"},
		{"v1 header cut", v1[:255], "header of 255 bytes"},
		{"v1 one byte short", v1[:len(v1)-1], "asks for"},
		{"v1 one byte long", append(bytes.Clone(v1), 0), "asks for"},
		{"v1 vocab_size negative", patched(v1, 8+vocab, -40), "vocab_size -40"},
		{"v1 dim 0", patched(v1, 8+dim, 0), "dim 0"},
		{"v1 n_heads 0", patched(v1, 8+heads, 0), "n_heads 0"},
		{"v1 shared_classifier 2", withByte(v1, 36, 2), "shared_classifier 2"},
		{"v1 tied said untied", withByte(v1, 36, 0), "asks for"},
		{"v1 padding", withByte(v1, 255, 1), "header byte 255"},
		{"v2 group size 0", patched(v2, 37, 0), "group size 0"},
		{"v2 group size negative", patched(v2, 37, -48), "group size -48"},
		{"v2 group size least", patched(v2, 37, least), "group size -2147483648"},
		{"v2 group size no divisor", patched(v2, 37, 7), "does not divide"},
		{"v2 group size absurd", patched(v2, 37, most), "does not divide"},
		{"v2 group size another", patched(v2, 37, 24), "asks for"},
		{"v2 padding", withByte(v2, 41, 1), "header byte 41"},
		{"v2 one byte short", v2[:len(v2)-1], "asks for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseLlama2c(test.file)
			known := errors.Is(err, ErrInvalid) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrUnknownFormat)
			if !known || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestTruncatedLlama2c(t *testing.T) {
	for version, groupSize := range []int{0, 0, 4} {
		whole := buildLlama2c(tiny(false), randomWeights(tiny(false), groupSize), version, groupSize)
		for length := range whole {
			// Zeros in place of the rest let a wrong size be the only fault.
			if _, err := newLlama2c(&hollow{header: whole[:length]}, int64(length), ""); err == nil {
				t.Fatalf("v%d: first %d of %d bytes open", version, length, len(whole))
			}
		}
	}
}

func TestFlippedLlama2c(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for version, groupSize := range []int{0, 0, 48} {
		whole := buildLlama2c(small(false), randomWeights(small(false), groupSize), version, groupSize)
		for range 20_000 {
			head := bytes.Clone(whole[:48])
			for range 1 + random.IntN(3) {
				head[random.IntN(len(head))] ^= byte(1 << random.IntN(8))
			}
			checkpoint, err := newLlama2c(&hollow{header: head}, int64(len(whole)), "")
			if err == nil {
				checkPlacement(t, checkpoint, int64(len(whole)))
			}
		}
	}
}

// checkPlacement checks that the weights lie within size bytes, apart.
func checkPlacement(t *testing.T, c *llama2c, size int64) {
	t.Helper()
	type span struct{ begin, end int64 }
	var spans []span
	for _, name := range c.Names() {
		place, offset, err := c.find(name)
		if err != nil {
			t.Fatal(err)
		}
		bytes := 4 * elements(place.shape)
		if place.groups > 0 {
			bytes = elements(place.shape) + elements(place.shape)/place.groups*4
		}
		spans = append(spans, span{offset, offset + bytes})
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.begin - b.begin) })
	end := int64(28)
	for _, next := range spans {
		if next.begin < end || next.end > size {
			t.Fatalf("%+v with %d before it in a file of %d", next, end, size)
		}
		end = next.end
	}
}
