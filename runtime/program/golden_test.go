package program

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file of this format version anew")

const goldenPath = "testdata/v1.zpt"

// TestGolden: the file of format version 1 stays as it is, byte for byte, both
// ways. A change here is a change of the format: see docs/FORMAT.md.
func TestGolden(t *testing.T) {
	if *update {
		if err := Write(goldenPath, sample(), nil); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(goldenPath)
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(t.TempDir(), "sample.zpt")
	want := sample()
	if err := Write(written, want, nil); err != nil {
		t.Fatal(err)
	}
	if have, err := os.ReadFile(written); err != nil || !bytes.Equal(have, golden) {
		t.Errorf("Write gives other bytes than %s (%v)", goldenPath, err)
	}
	file, err := Open(goldenPath)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if arch, ok := file.Program.Lookup("arch"); arch != "sample" || !ok {
		t.Errorf("arch is %q", arch)
	}
	if _, ok := file.Program.Lookup("ar"); ok {
		t.Error("there is a key that was not written")
	}
	if file.Program.Method("update") != &file.Program.Methods[1] || file.Program.Method("none") != nil {
		t.Error("Method finds the wrong one")
	}
	if !reflect.DeepEqual(file.Program, want) {
		t.Errorf("Open gives another program than the one written:\n%+v\n%+v", file.Program, want)
	}
}
