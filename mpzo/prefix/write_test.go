package prefix

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var errNoSpace = errors.New("no space left")

// fullDisk takes half of what is written and no more.
type fullDisk struct{ storage }

func (f fullDisk) WriteAt(data []byte, offset int64) (int, error) {
	n, _ := f.storage.WriteAt(data[:len(data)/2], offset)
	return n, errNoSpace
}

// A cache that cannot be written goes on with what it has, and leaves no half
// record.
func TestDiskIsFull(t *testing.T) {
	var notices []string
	path := filepath.Join(t.TempDir(), "cache")
	o := Options{Codec: Codec{Columns: []int{1}}, Budget: 1 << 20, Notice: func(line string) { notices = append(notices, line) }}
	c, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	payload := o.Codec.Append(nil, 1, [][]float32{{2}})
	c.Store(Key{1}, 1, payload)
	size := c.Stats().Bytes
	disk := c.file
	c.file = fullDisk{disk}
	c.Store(Key{2}, 1, payload)
	c.Store(Key{3}, 1, payload)
	value := [][]float32{{0}}
	if !c.Load(Key{1}, 1, value) || value[0][0] != 2 || c.Load(Key{2}, 1, value) || c.Stats().Bytes != size {
		t.Errorf("%+v, and %v is found", c.Stats(), value)
	}
	if len(notices) != 1 || !strings.Contains(notices[0], errNoSpace.Error()) {
		t.Errorf("notices %q", notices)
	}
	if err := disk.Close(); err != nil {
		t.Fatal(err)
	}
	c, err = Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(notices) != 1 || c.Stats().Entries != 1 || c.Stats().Bytes != size {
		t.Errorf("opened again: %+v, notices %q", c.Stats(), notices)
	}
}

// A file that not even a header can be written to is done without.
func TestDiskIsFullFromTheBeginning(t *testing.T) {
	var notices []string
	file, err := os.Create(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Codec: Codec{Columns: []int{1}}, Budget: 1 << 20, Notice: func(line string) { notices = append(notices, line) }}
	c := &Cache{file: fullDisk{file}, options: o, entries: make(map[Key]entry)}
	defer c.Close()
	if err := c.load(file.Name(), 0); err != nil {
		t.Fatal(err)
	}
	c.Store(Key{1}, 1, o.Codec.Append(nil, 1, [][]float32{{2}}))
	if c.Load(Key{1}, 1, [][]float32{{0}}) || c.Stats().Entries != 0 {
		t.Errorf("%+v: something was kept", c.Stats())
	}
	if len(notices) != 1 || !strings.Contains(notices[0], errNoSpace.Error()) {
		t.Errorf("notices %q", notices)
	}
}
