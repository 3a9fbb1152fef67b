package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeroth/internal/safetensors"
)

// newFolder writes a checkpoint in one file.
func newFolder(t *testing.T, config string, entries []safetensors.Entry) string {
	t.Helper()
	folder := t.TempDir()
	writeText(t, folder, "config.json", config)
	writeTensors(t, folder, "model.safetensors", entries)
	return folder
}

func TestFolder(t *testing.T) {
	for _, tied := range []bool{true, false} {
		weights := randomWeights(small(tied), 0)
		checkpoint := mustOpen(t, newFolder(t, configText(tied), entriesOf(small(tied), weights)))
		want := small(tied)
		want.Interleaved = false
		if checkpoint.Config() != want {
			t.Errorf("%+v\n%+v", checkpoint.Config(), want)
		}
		checkWeights(t, checkpoint, weights)
		if err := checkpoint.ReadF32("model.norm.weight", make([]float32, 47)); !errors.Is(err, ErrArgument) {
			t.Error(err)
		}
		for _, err := range []error{checkpoint.ReadF32("norm.weight", nil), checkpoint.ReadF32("", nil)} {
			if !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
		}
	}
}

func TestFolderNames(t *testing.T) {
	weights := randomWeights(small(true), 0)
	entries := entriesOf(small(true), weights)
	// A tied head and RoPE's frequencies may be stored; both are passed over.
	entries = append(entries,
		safetensors.Entry{Name: "lm_head.weight", Shape: []int{40, 48}, Data: make([]float32, 40*48)},
		safetensors.Entry{Name: "model.layers.0.self_attn.rotary_emb.inv_freq", Shape: []int{12}, Data: make([]float32, 12)})
	checkWeights(t, mustOpen(t, newFolder(t, configText(true), entries)), weights)

	for i := range entries {
		entries[i].Name = strings.TrimPrefix(entries[i].Name, "model.")
	}
	config := strings.Replace(configText(true), "LlamaForCausalLM", "LlamaModel", 1)
	bare := newFolder(t, config, entries)
	checkWeights(t, mustOpen(t, bare), weights)

	t.Chdir(bare)
	if got, want := mustOpen(t, ".").Source(), "Hugging Face "+filepath.Base(bare); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// newSharded writes a checkpoint in three files and returns its index.
func newSharded(t *testing.T, folder string, weights map[string][]float32) map[string]string {
	t.Helper()
	writeText(t, folder, "config.json", configText(false))
	index := make(map[string]string)
	var shards [3][]safetensors.Entry
	for i, entry := range entriesOf(small(false), weights) {
		shards[i%3] = append(shards[i%3], entry)
		index[entry.Name] = fmt.Sprintf("model-%05d-of-00003.safetensors", i%3+1)
	}
	for i, entries := range shards {
		writeTensors(t, folder, fmt.Sprintf("model-%05d-of-00003.safetensors", i+1), entries)
	}
	return index
}

func writeIndex(t *testing.T, folder string, index map[string]string) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"metadata": map[string]int{"total_size": 1}, "weight_map": index})
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, folder, "model.safetensors.index.json", string(text))
}

func TestShards(t *testing.T) {
	weights, folder := randomWeights(small(false), 0), t.TempDir()
	writeIndex(t, folder, newSharded(t, folder, weights))
	checkWeights(t, mustOpen(t, folder), weights)
	// A symlink that stays inside is as good as a file.
	first := filepath.Join(folder, "model-00001-of-00003.safetensors")
	if err := os.Rename(first, filepath.Join(folder, "blob")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("blob", first); err != nil {
		t.Fatal(err)
	}
	checkWeights(t, mustOpen(t, folder), weights)
}

func TestMalformedShards(t *testing.T) {
	weights := randomWeights(small(false), 0)
	const norm, first = "model.norm.weight", "model-00001-of-00003.safetensors"
	set := func(name string) func(*testing.T, string, map[string]string) {
		return func(_ *testing.T, _ string, index map[string]string) { index[norm] = name }
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, folder string, index map[string]string)
		want   string
	}{
		{"parent folder", set("../" + first), "plain name"},
		{"subfolder", set("sub/" + first), "plain name"},
		{"backslash", set(`sub\` + first), "plain name"},
		{"drive", set("c:" + first), "plain name"},
		{"absolute", set("/tmp/" + first), "plain name"},
		{"NUL", set("a\u0000.safetensors"), "plain name"},
		{"no name", set(""), "plain name"},
		{"two dots", set(".."), "plain name"},
		{"another extension", set("pytorch_model.bin"), "plain name"},
		{"long name", set(strings.Repeat("n", 256) + ".safetensors"), "plain name"},
		{"absent shard", set("absent.safetensors"), "weight_map: absent.safetensors is not in the folder: fetch all shards"},
		{"wrong shard", set(first), "listed in"},
		{"tensor not listed", func(_ *testing.T, _ string, index map[string]string) { delete(index, norm) }, "not listed"},
		{"tensor nowhere", func(_ *testing.T, _ string, index map[string]string) { index["x"] = first }, "but not there"},
		{"shard is a folder", func(t *testing.T, folder string, index map[string]string) {
			if err := os.Mkdir(filepath.Join(folder, "d.safetensors"), 0o700); err != nil {
				t.Fatal(err)
			}
			index[norm] = "d.safetensors"
		}, "not a regular file"},
		{"symlink out of the folder", func(t *testing.T, folder string, index map[string]string) {
			outside := t.TempDir()
			if err := os.Rename(filepath.Join(folder, first), filepath.Join(outside, first)); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(outside, first), filepath.Join(folder, first)); err != nil {
				t.Fatal(err)
			}
		}, "leads outside"},
		{"broken shard", func(t *testing.T, folder string, _ map[string]string) { writeText(t, folder, first, "broken") }, "too short"},
		{"weight in two shards", func(t *testing.T, folder string, index map[string]string) {
			writeTensors(t, folder, "more.safetensors", []safetensors.Entry{{Name: "norm.weight", Shape: []int{48}, Data: weights[norm]}})
			index["norm.weight"] = "more.safetensors"
		}, "the same weight"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			index := newSharded(t, folder, weights)
			test.change(t, folder, index)
			writeIndex(t, folder, index)
			if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestMalformedIndex(t *testing.T) {
	var crowded, many []string
	for i := range maxShards + 1 {
		crowded = append(crowded, fmt.Sprintf(`"%d":"%d.safetensors"`, i, i))
	}
	for i := range maxIndexed + 1 {
		many = append(many, fmt.Sprintf(`"%d":"a.safetensors"`, i))
	}
	for text, want := range map[string]string{
		``:                          "JSON object",
		`[]`:                        "JSON object",
		`{}`:                        "weight_map is not given",
		`{"weight_map":null}`:       "JSON object",
		`{"weight_map":[]}`:         "JSON object",
		`{"weight_map":{"a":1}}`:    "plain name",
		`{"weight_map":{"a":null}}`: "plain name",
		`{"weight_map":{"a":"b.safetensors","a":"c.safetensors"}}`: "given twice",
		`{"weight_map":{},"weight_map":{}}`:                        "given twice",
		`{"weight_map":{}}x`:                                       "more text",
		"{\"weight_map\":{\"\xff\":\"b.safetensors\"}}":            "UTF-8",
		`{"weight_map":{` + strings.Join(crowded, ",") + `}}`:      "more than 512 shards",
		`{"weight_map":{` + strings.Join(many, ",") + `}}`:         "more than 32768 keys",
	} {
		if _, err := parseIndex([]byte(text)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
}

func TestFolderDoesNotFit(t *testing.T) {
	weights := randomWeights(small(true), 0)
	change := func(edit func([]safetensors.Entry) []safetensors.Entry) []safetensors.Entry {
		return edit(entriesOf(small(true), weights))
	}
	for _, test := range []struct {
		name    string
		entries []safetensors.Entry
		config  string
		want    []string
	}{
		{
			"missing weight", change(func(e []safetensors.Entry) []safetensors.Entry { return e[1:] }), configText(true),
			[]string{`"model.embed_tokens.weight"`, "missing", "[40 48]"},
		},
		{"another shape", change(func(e []safetensors.Entry) []safetensors.Entry {
			e[2].Shape = []int{24, 96}
			return e
		}), configText(true), []string{`"model.layers.0.self_attn.q_proj.weight"`, "[24 96]", "[48 48]"}},
		{"another rank", change(func(e []safetensors.Entry) []safetensors.Entry {
			e[1].Shape = []int{48, 1}
			return e
		}), configText(true), []string{"[48 1]", "[48]"}},
		{"untied without a head", entriesOf(small(true), weights), configText(false), []string{`"lm_head.weight"`, "missing"}},
		{"a bias", change(func(e []safetensors.Entry) []safetensors.Entry {
			return append(e, safetensors.Entry{Name: "model.layers.0.self_attn.q_proj.bias", Shape: []int{1}, Data: []float32{1}})
		}), configText(true), []string{"q_proj.bias", "no such weight"}},
		{"fewer layers in the config", entriesOf(small(true), weights), strings.Replace(configText(true), `layers": 3`, `layers": 2`, 1), []string{"model.layers.2.", "of 2 layers"}},
		{"more layers in the config", entriesOf(small(true), weights), strings.Replace(configText(true), `layers": 3`, `layers": 4`, 1), []string{"model.layers.3.", "missing"}},
		{"both spellings of a name", change(func(e []safetensors.Entry) []safetensors.Entry {
			return append(e, safetensors.Entry{Name: "norm.weight", Shape: []int{48}, Data: make([]float32, 48)})
		}), configText(true), []string{"the same weight"}},
	} {
		_, err := Open(newFolder(t, test.config, test.entries))
		if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", test.name, err, want)
			}
		}
	}
}

func TestFolderFiles(t *testing.T) {
	folder := t.TempDir()
	open := func() string {
		t.Helper()
		_, err := Open(folder)
		if err == nil {
			t.Fatal("opened")
		}
		return err.Error()
	}
	if text := open(); !strings.Contains(text, "no config.json") {
		t.Error(text)
	}
	writeText(t, folder, "config.json", configText(true))
	if text := open(); !strings.Contains(text, "neither model.safetensors nor model.safetensors.index.json") {
		t.Error(text)
	}
	writeText(t, folder, "model.safetensors", "broken")
	if _, err := Open(folder); !errors.Is(err, safetensors.ErrInvalid) || !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	// A weight of whole numbers has the right shape and the wrong dtype.
	header := `{"model.embed_tokens.weight":{"dtype":"I8","shape":[40,48],"data_offsets":[0,1920]}}`
	writeText(t, folder, "model.safetensors", string(rune(len(header)))+"\x00\x00\x00\x00\x00\x00\x00"+header+strings.Repeat("\x00", 1920))
	if text := open(); !strings.Contains(text, "dtype I8") {
		t.Error(text)
	}
	writeText(t, folder, "config.json", strings.Repeat(" ", maxConfigBytes+1))
	if text := open(); !strings.Contains(text, "at most") {
		t.Error(text)
	}
}
