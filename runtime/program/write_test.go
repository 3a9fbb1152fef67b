package program

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"zeroth/runtime/op"
)

// onlyFiles fails unless the folder holds nothing but the named files.
func onlyFiles(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if !reflect.DeepEqual(have, names) {
		t.Errorf("the folder holds %q, want %q", have, names)
	}
}

func TestRoundTrip(t *testing.T) {
	empty := &Program{}
	noTokenizer := sample()
	noTokenizer.Tokenizer = Tokenizer{}
	scalar := &Program{Constants: []Constant{{"one", f32(), floats(1)}}}
	// More than one chunk, not a whole number of them.
	long := &Program{Constants: []Constant{{"long", f32(op.C(chunkBytes/2 + 1)), floats(chunkBytes/2 + 1)}}}
	for name, want := range map[string]*Program{
		"sample": sample(), "empty": empty, "no tokenizer": noTokenizer, "scalar": scalar, "long": long,
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "p.zpt")
			if err := Write(path, want, nil); err != nil {
				t.Fatal(err)
			}
			onlyFiles(t, folder, "p.zpt")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(data, assemble(want, nil)) {
				t.Error("Write and the tests' own assembly differ")
			}
			file, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(file.Program, want) {
				t.Errorf("read %+v, wrote %+v", file.Program, want)
			}
			for _, k := range file.Program.Constants {
				if uintptr(unsafe.Pointer(&k.Data[0]))%Alignment != 0 {
					t.Errorf("constant %s is not aligned", k.Name)
				}
			}
			if err := errors.Join(file.Close(), file.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestParseMisaligned: bytes at any address give aligned constants.
func TestParseMisaligned(t *testing.T) {
	golden := assemble(sample(), nil)
	for shift := range 3 {
		moved := append(alignedBytes(len(golden) + shift)[:shift], golden...)[shift:]
		p, err := Parse(moved)
		if err != nil {
			t.Fatal(err)
		}
		if uintptr(unsafe.Pointer(&p.Constants[0].Data[0]))%Alignment != 0 {
			t.Errorf("shift %d: constant 0 is not aligned", shift)
		}
	}
}

func TestReadAligned(t *testing.T) {
	golden := assemble(sample(), nil)
	data, err := readAligned(bytes.NewReader(golden), len(golden))
	if err != nil || !bytes.Equal(data, golden) || uintptr(unsafe.Pointer(&data[0]))%Alignment != 0 {
		t.Errorf("read %d bytes at %p: %v", len(data), data, err)
	}
	if _, err := readAligned(bytes.NewReader(golden), len(golden)+1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file shortened while it is read: %v", err)
	}
}

// TestLoadWithoutMapping: what cannot be mapped, such as a pipe, is read.
func TestLoadWithoutMapping(t *testing.T) {
	golden := assemble(sample(), nil)
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	if _, err := to.Write(golden); err != nil { // fits a pipe's buffer
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	data, release, err := load(from, len(golden), false)
	if err != nil || !bytes.Equal(data, golden) {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if _, _, err := load(from, 1, false); err == nil {
		t.Error("an empty pipe was read")
	}
}

// TestWriteStream: streamed constants give the same file, in pieces of any
// size, and progress rises to the file's length.
func TestWriteStream(t *testing.T) {
	want := assemble(sample(), nil)
	for _, piece := range []int{1, 7, 64, 1 << 20} {
		p, whole := sample(), sample()
		for i := range 4 { // the fifth is an index
			p.Constants[i].Data = nil
		}
		var last, total int64
		path := filepath.Join(t.TempDir(), "p.zpt")
		err := WriteStream(path, p, func(i int, w io.Writer) error {
			for rest := whole.Constants[i].Data; len(rest) > 0; {
				n, err := w.Write(rest[:min(piece, len(rest))])
				if err != nil {
					return err
				}
				rest = rest[n:]
			}
			return nil
		}, func(done, of int64) {
			if done < last {
				t.Errorf("progress falls from %d to %d", last, done)
			}
			last, total = done, of
		})
		if err != nil {
			t.Fatal(err)
		}
		if have, _ := os.ReadFile(path); !bytes.Equal(have, want) {
			t.Errorf("pieces of %d give another file", piece)
		}
		if last != int64(len(want)) || total != last {
			t.Errorf("progress ends at %d of %d, the file has %d", last, total, len(want))
		}
		if parsed, err := Parse(want); err != nil || parsed.Fingerprint != p.Fingerprint {
			t.Errorf("fingerprint %x, the file's is %x (%v)", p.Fingerprint, parsed.Fingerprint, err)
		}
	}
}

// TestWriteFails: whatever goes wrong, the old file stays and nothing else.
func TestWriteFails(t *testing.T) {
	broken := errors.New("the disk of the source is broken")
	give := func(b []byte) Source {
		return func(_ int, w io.Writer) error { _, err := w.Write(b); return err }
	}
	upward := bytes.Repeat([]byte{1}, 512)
	for name, c := range map[string]struct {
		constant int // whose data is not there
		source   Source
		want     string
		kind     error
	}{
		"no source":       {0, nil, "constants[0].segment.data: there is none", ErrInvalid},
		"too little":      {0, give(make([]byte, 111)), "constants[0].segment.length: the source wrote 111 bytes of 112", ErrInvalid},
		"too much":        {0, give(make([]byte, 113)), "writes more than 112 bytes", ErrInvalid},
		"padding":         {2, give(upward), "constants[2].segment.data: byte 264 is not zero", ErrInvalid},
		"source fails":    {0, func(int, io.Writer) error { return broken }, `constant "embedding": the disk`, broken},
		"index":           {4, give(integers(1, 2, 3)), `methods[0].nodes[4].inputs[1]: constant "picks" is an index`, ErrInvalid},
		"error passed by": {0, func(_ int, w io.Writer) error { _, _ = w.Write(make([]byte, 113)); return nil }, "writes more than", ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "p.zpt")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			p := sample()
			p.Constants[c.constant].Data = nil
			err := WriteStream(path, p, c.source, nil)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			onlyFiles(t, folder, "p.zpt")
			if old, _ := os.ReadFile(path); string(old) != "old" {
				t.Errorf("the old file is now %q", old)
			}
			if p.Fingerprint != [32]byte{} {
				t.Error("a fingerprint without a file")
			}
		})
	}
	p := sample()
	p.Constants[1].Data = nil
	if err := Write(filepath.Join(t.TempDir(), "p.zpt"), p, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("Write without data: %v", err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(folder, "d"), sample(), nil); err == nil {
		t.Error("a folder was written over")
	}
	onlyFiles(t, folder, "d")
	if err := Write(filepath.Join(folder, "none", "p.zpt"), sample(), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	folder := t.TempDir()
	if _, err := Open(filepath.Join(folder, "none.zpt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	if _, err := Open(folder); !errors.Is(err, ErrFormat) {
		t.Errorf("a folder: %v", err)
	}
	for name, data := range map[string][]byte{"empty": {}, "text": bytes.Repeat([]byte("zpt "), 50)} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrFormat) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A slot's own storage is for sessions: its size is checked, and no file takes it.
func TestSlotData(t *testing.T) {
	p := sample()
	p.Slots[1].Data = make([]byte, 12)
	if err := VerifyStructure(p); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "slots[1].data: 12 bytes, want none or 32") {
		t.Errorf("12 bytes for f32[4 2]: %v", err)
	}
	p.Slots[1].Data = alignedBytes(32)
	if err := VerifyStructure(p); err != nil {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "p.zpt")
	if err := Write(path, p, nil); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "holds data") {
		t.Errorf("written: %v", err)
	}
}

// What is written to a writable mapping stays out of the file.
func TestOpenWritable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.zpt")
	if err := Write(path, sample(), nil); err != nil {
		t.Fatal(err)
	}
	f, err := OpenWritable(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Program.Constants[0].Data[0] ^= 0xff
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if !bytes.Equal(again.Program.Constants[0].Data, sample().Constants[0].Data) {
		t.Error("the file changed")
	}
}
