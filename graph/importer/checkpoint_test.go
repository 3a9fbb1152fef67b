package importer

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/readat"
	"zeroth/internal/testdata"
)

// TestFormatsAgree holds each llama2.c file against the Hugging Face folder
// that others made from it: the same values once the rows of q and k, which
// that conversion reorders for the other pairing of RoPE, are put back.
func TestFormatsAgree(t *testing.T) {
	for _, test := range []struct{ file, folder string }{
		{"models/stories260K/stories260K.bin", "models/stories260K"},
		{"models/stories3M/stories3M-q80.bin", "models/stories3M"},
	} {
		t.Run(test.folder, func(t *testing.T) {
			file := mustOpen(t, testdata.Shared(t, test.file))
			folder := mustOpen(t, testdata.Shared(t, test.folder))
			want := folder.Config()
			want.Interleaved = true
			if got := file.Config(); got != want {
				t.Fatalf("%+v\n%+v", got, want)
			}
			for _, name := range file.Names() {
				got, want := readWeight(t, file, name), readWeight(t, folder, name)
				if strings.Contains(name, "q_proj") || strings.Contains(name, "k_proj") {
					want = pairRows(want, file.Config())
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s differs", name)
				}
			}
		})
	}
}

// pairRows reorders each head's rows from halves (i, i+D/2) to neighbours
// (2i, 2i+1). rows [heads·D, hidden].
func pairRows(rows []float32, config Config) []float32 {
	half, hidden := config.HeadDim/2, config.HiddenSize
	var paired []float32
	for head := range slices.Chunk(rows, config.HeadDim*hidden) {
		for i := range half {
			paired = append(paired, head[i*hidden:(i+1)*hidden]...)
			paired = append(paired, head[(half+i)*hidden:(half+i+1)*hidden]...)
		}
	}
	return paired
}

func TestOpensRealFolders(t *testing.T) {
	reviews := mustOpen(t, testdata.Shared(t, "models/reviews-1m"))
	want := Config{
		Architecture: "llama", HiddenSize: 128, IntermediateSize: 352, Layers: 5, Heads: 4, KVHeads: 2, HeadDim: 32,
		VocabSize: 2048, MaxPositions: 256, NormEps: 1e-5, RopeTheta: 10000, Tied: true, BOS: 1, EOS: 2,
	}
	if reviews.Config() != want {
		t.Errorf("%+v\n%+v", reviews.Config(), want)
	}
	if reviews.Source() != "Hugging Face reviews-1m" {
		t.Error(reviews.Source())
	}
	info, err := reviews.Tensor("model.layers.4.self_attn.v_proj.weight")
	if err != nil || info.DType != "BF16" || !slices.Equal(info.Shape, []int{64, 128}) {
		t.Errorf("%+v, %v", info, err)
	}
	total := 0
	for _, name := range reviews.Names() {
		values := readWeight(t, reviews, name)
		if slices.Max(values) == 0 {
			t.Errorf("%s is empty", name)
		}
		total += len(values)
	}
	if total != 1_185_152 { // the file's data are twice as many bytes
		t.Errorf("%d parameters", total)
	}

	untied := mustOpen(t, testdata.Shared(t, "models/tiny-random-llama"))
	if untied.Config().Tied || !slices.Contains(untied.Names(), "lm_head.weight") || len(readWeight(t, untied, "lm_head.weight")) != 320*64 {
		t.Errorf("%+v", untied.Config())
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	folder := t.TempDir()
	padding := strings.Repeat("\x01", 100)
	writeText(t, folder, "a.gguf", "GGUF\x03\x00\x00\x00"+padding)
	writeText(t, folder, "b.gguf", "<!DOCTYPE html>"+padding)
	writeText(t, folder, "c.gguf", "version https://git-lfs.github.com/spec/v1\n")
	writeText(t, folder, "a.pth", "PK\x03\x04"+padding)
	writeText(t, folder, "a.safetensors", "\x02\x01\x00\x00\x00\x00\x00\x00{}"+padding)
	writeText(t, folder, "a.json", configText(true))
	writeText(t, folder, "a.txt", padding)
	writeText(t, folder, "short", "abc")
	writeText(t, folder, "empty", "")
	for name, want := range map[string]error{
		"a.gguf": ErrInvalid, "b.gguf": ErrInvalid, "c.gguf": readat.ErrPointer, "a.pth": ErrUnsupported, "a.safetensors": ErrUnknownFormat,
		"a.json": ErrUnknownFormat, "a.txt": ErrUnknownFormat, "short": ErrUnknownFormat, "empty": ErrUnknownFormat,
		".": ErrUnknownFormat, "absent": os.ErrNotExist,
	} {
		if _, err := Open(filepath.Join(folder, name)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func TestSplitName(t *testing.T) {
	for _, name := range []string{
		"model.layers.01.mlp", "model.layers.+1.mlp", "model.layers.-1.mlp", "model.layers..mlp",
		"model.layers.99999999999999999999.mlp", "model.norm.weight", "",
	} {
		if layer, suffix := splitName(llamaLayers, name); layer != -1 || suffix != name {
			t.Errorf("%q: %d %q", name, layer, suffix)
		}
	}
	if layer, suffix := splitName(llamaLayers, "model.layers.12.mlp.up_proj.weight"); layer != 12 || suffix != "mlp.up_proj.weight" {
		t.Errorf("%d %q", layer, suffix)
	}
}

// TestOpenRefusesAPipe would hang if Open opened it.
func TestOpenRefusesAPipe(t *testing.T) {
	if _, err := Open(testdata.Pipe(t)); !errors.Is(err, ErrUnknownFormat) {
		t.Error(err)
	}
}
