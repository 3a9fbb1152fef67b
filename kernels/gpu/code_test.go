package gpu

import (
	"testing"
	"testing/fstest"
)

// Every file counts, by what it is called and by what it has.
func TestCodeName(t *testing.T) {
	files := fstest.MapFS{"a.cl": {Data: []byte("one")}, "more/b.cl": {Data: []byte("two")}}
	name := CodeName(files)
	if again := CodeName(files); again != name || len(name) != 16 {
		t.Errorf("%q, then %q", name, again)
	}
	files["more/b.cl"].Data = []byte("three")
	changed := CodeName(files)
	delete(files, "more/b.cl")
	if fewer := CodeName(files); changed == name || fewer == name || fewer == changed {
		t.Errorf("%q, changed %q, fewer %q", name, changed, fewer)
	}
}
