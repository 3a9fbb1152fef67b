package graph_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

func TestListing(t *testing.T) {
	var text strings.Builder
	for _, g := range small(t).Methods {
		text.WriteString(g.String())
	}
	golden(t, "small.txt", text.String())
}

func TestDot(t *testing.T) {
	m := small(t)
	for _, g := range m.Methods {
		var text strings.Builder
		if err := g.Dot(&text); err != nil {
			t.Fatal(err)
		}
		golden(t, g.Name+".dot", text.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestDotReportsWriteErrors(t *testing.T) {
	if err := small(t).Methods[0].Dot(fullDisk{}); err == nil {
		t.Error("a failed write is not reported")
	}
}
