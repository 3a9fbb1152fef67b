package tokenizer

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// smallTokenizers are those of testdata/bytebpe/README.md.
var smallTokenizers = []string{"small", "small-whole", "small-unk", "small-unk-fuse"}

func readSmall(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "bytebpe", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// container returns a tokenizer.json as a container.
func container(t testing.TB, tokenizerJSON []byte) []byte {
	t.Helper()
	v, err := readTokenizerJSON(tokenizerJSON, modelConfig{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := v.marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What Hugging Face's library made of the texts.
func TestByteBPEGolden(t *testing.T) {
	var golden map[string][]struct {
		Text         string
		IDs, Wrapped []int32
	}
	readJSON(t, filepath.Join("testdata", "bytebpe", "golden.json"), &golden)
	for _, name := range smallTokenizers {
		tok := parse(t, ByteBPE, container(t, readSmall(t, name)))
		if len(golden[name]) != 280 {
			t.Fatalf("%s: %d texts", name, len(golden[name]))
		}
		for _, c := range golden[name] {
			checkEncode(t, tok, c.Text, c.IDs)
			if got := Wrap(tok, c.IDs); !slices.Equal(got, c.Wrapped) {
				t.Errorf("%s: wrap %v\n got %v\nwant %v", name, c.IDs, got, c.Wrapped)
			}
		}
	}
}
