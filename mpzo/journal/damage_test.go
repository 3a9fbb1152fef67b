package journal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A journal cut at any byte reads as exactly the whole records before it.
func TestTruncation(t *testing.T) {
	whole, ends := sampleBytes()
	for size := range whole {
		log, _, err := decode(whole[:size])
		if size < ends[0] {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("%d bytes: got %v, want ErrFormat", size, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		records := 0
		for records+1 < len(ends) && ends[records+1] <= size {
			records++
		}
		good := ends[records]
		if got := len(log.Steps) + len(log.Evals); got != records || log.Bytes != int64(good) {
			t.Fatalf("%d bytes: %s, want %d records in %d bytes", size, describe(log), records, good)
		}
		if (log.Damage != nil) != (size > good) {
			t.Fatalf("%d bytes: damage reported as %v", size, log.Damage)
		}
		if log.Damage != nil && (log.Damage.Offset != int64(good) || log.Damage.Bytes != int64(size-good)) {
			t.Fatalf("%d bytes: damage reported as %v", size, log.Damage)
		}
	}
}

// Open cuts a journal that ends anywhere in an evaluation or a step (the first
// of each; every cut costs an fsync) and goes on from there.
func TestOpenCutsTornRecords(t *testing.T) {
	whole, ends := sampleBytes()
	for size := ends[0] - 1; size <= ends[2]+1; size++ {
		path := writeFile(t, whole[:size])
		w, log, err := Open(path)
		if size < ends[0] {
			if !errors.Is(err, ErrFormat) || !bytes.Equal(readBytes(t, path), whole[:size]) {
				t.Fatalf("%d bytes, no whole header: %v, or the file was changed", size, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if got := readBytes(t, path); !bytes.Equal(got, whole[:log.Bytes]) {
			t.Fatalf("%d bytes: cut to %d, want %d", size, len(got), log.Bytes)
		}
		w.SyncEvery(0, 0)
		if err := w.Step(sampleStep(w.Last()+1, 3)); err != nil {
			t.Fatalf("%d bytes: going on: %v", size, err)
		}
		if after, err := Read(path); err != nil || after.Damage != nil || len(after.Steps) != len(log.Steps)+1 {
			t.Fatalf("%d bytes: after going on the journal reads as %v, %v", size, after, err)
		}
		if err := w.file.Close(); err != nil { // without the fsync of w.Close
			t.Fatal(err)
		}
	}
}

// Every single changed byte is noticed: in the head the file is refused, in the
// last record that record is cut, and anywhere else nothing is touched.
func TestByteFlips(t *testing.T) {
	whole, ends := sampleBytes()
	lastRecord := ends[len(ends)-2]
	random := rand.New(rand.NewPCG(1, 2))
	for at := range whole {
		for _, flip := range []byte{0x01, 0x80, 0xff, byte(1 + random.IntN(255))} {
			data := bytes.Clone(whole)
			data[at] ^= flip
			log, _, err := decode(data)
			switch {
			case at < ends[0]:
				if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) {
					t.Fatalf("byte %d ^ %#x in the head: %v", at, flip, err)
				}
			case at >= lastRecord:
				if err != nil || log.Bytes != int64(lastRecord) || log.Damage == nil {
					t.Fatalf("byte %d ^ %#x in the last record: %v, %v", at, flip, log, err)
				}
			default:
				good := 0
				for ends[good+1] <= at {
					good++
				}
				if !errors.Is(err, ErrDamaged) || log.Bytes != int64(ends[good]) || len(log.Steps)+len(log.Evals) != good {
					t.Fatalf("byte %d ^ %#x in record %d: %v, %v", at, flip, good+1, log, err)
				}
			}
		}
	}
}

func TestDamageInTheMiddleIsNotCut(t *testing.T) {
	whole, ends := sampleBytes()
	whole[ends[1]+20] ^= 4
	path := writeFile(t, whole)
	w, log, err := Open(path)
	if !errors.Is(err, ErrDamaged) || w != nil {
		t.Fatalf("got %v, want ErrDamaged and no writer", err)
	}
	if log == nil || len(log.Steps) != 0 || len(log.Evals) != 1 || log.Damage == nil {
		t.Errorf("the log before the damage is %v", log)
	}
	if !bytes.Equal(readBytes(t, path), whole) {
		t.Error("the file was changed")
	}
	// The advice in the error works.
	if err := os.Truncate(path, log.Bytes); err != nil {
		t.Fatal(err)
	}
	w, _, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// What a power cut may leave after the good part: nothing in it is a record.
func TestTailsThatAreCut(t *testing.T) {
	whole, ends := sampleBytes()
	random := make([]byte, 5000)
	for i, source := 0, rand.New(rand.NewPCG(3, 4)); i < len(random); i++ {
		random[i] = byte(source.Uint32())
	}
	hugeLength := []byte{typeStep, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6}
	tails := map[string][]byte{
		"one zero":           make([]byte, 1),
		"zeros":              make([]byte, 4096),
		"ones":               bytes.Repeat([]byte{0xff}, 4096),
		"random":             random,
		"huge length":        hugeLength,
		"last record again":  whole[ends[len(ends)-2]:],
		"record then zeros":  append(bytes.Clone(whole[ends[2]:ends[3]-4]), make([]byte, 300)...),
		"the header record":  whole[preambleBytes:ends[0]],
		"preamble":           whole[:preambleBytes],
		"step 1 of this run": whole[ends[1]:ends[2]],
	}
	for name, tail := range tails {
		data := append(bytes.Clone(whole), tail...)
		path := writeFile(t, data)
		w, log, err := Open(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if log.Damage == nil || log.Damage.Bytes != int64(len(tail)) || log.Damage.Reason == "" {
			t.Errorf("%s: %s", name, describe(log))
		}
		if !bytes.Equal(readBytes(t, path), whole) {
			t.Errorf("%s: the file was not cut back to the good part", name)
		}
	}
}

// Records out of place, each whole in itself, are refused.
func TestRecordsOutOfPlace(t *testing.T) {
	whole, ends := sampleBytes()
	record := func(i int) []byte { return whole[ends[i-1]:ends[i]] }
	join := func(records ...int) []byte {
		data := bytes.Clone(whole[:ends[0]])
		for _, i := range records {
			data = append(data, record(i)...)
		}
		return data
	}
	other := sampleHeader()
	other.Seed++
	otherHead, otherCheck := encodeHead(&other, version)
	eval := sampleEval(0)
	otherRun, otherCheck := appendRaw(otherHead, otherCheck, typeEval, appendEval(nil, &eval, version))
	step := sampleStep(1, 3)
	otherRun, _ = appendRaw(otherRun, otherCheck, typeStep, appendStep(nil, &step))

	cases := map[string][]byte{
		"two swapped":          join(1, 3, 2, 4, 5, 6),
		"one dropped":          join(1, 2, 4, 5, 6),
		"one repeated":         join(1, 2, 2, 3, 4, 5, 6),
		"first dropped":        join(2, 3, 4, 5, 6),
		"evaluation moved":     join(1, 4, 2, 3, 5, 6),
		"under another header": append(bytes.Clone(otherHead[:len(otherHead):len(otherHead)]), whole[ends[0]:]...),
		"records of other run": append(bytes.Clone(whole[:ends[0]]), otherRun[len(otherHead):]...),
	}
	for name, data := range cases {
		if log, _, err := decode(data); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDamaged; read as %s", name, err, describe(log))
		}
	}
}

// A file of what looks like records at every fifth byte ends the search early.
func TestSearchForLaterRecordsIsBounded(t *testing.T) {
	header := sampleHeader()
	header.Q = maxQueries
	data, _ := encodeHead(&header, version)
	var lure []byte
	lure = beginRecord(lure, typeStep, stepBytes(maxQueries))
	data = append(data, 9)
	data = append(data, bytes.Repeat(lure, 1<<18)...)
	if _, _, err := decode(data); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

func FuzzRead(f *testing.F) {
	whole, ends := sampleBytes()
	f.Add(whole)
	f.Add(whole[:ends[0]])
	f.Add(whole[:len(whole)-3])
	golden, err := os.ReadFile(filepath.Join("testdata", "v1.journal"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	if golden, err = os.ReadFile(filepath.Join("testdata", "v2.journal")); err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	for _, c := range malformed() {
		f.Add(c.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		log, check, err := decode(data)
		if err != nil {
			return
		}
		// What was read is written again to the very bytes of the good part.
		again, running := encodeHead(&log.Header, log.version)
		evals := log.Evals
		for number := 0; ; number++ {
			for len(evals) > 0 && evals[0].Step == uint64(number) {
				again, running = appendRaw(again, running, typeEval, appendEval(nil, &evals[0], log.version))
				evals = evals[1:]
			}
			if number == len(log.Steps) {
				break
			}
			again, running = appendRaw(again, running, typeStep, appendStep(nil, &log.Steps[number]))
		}
		if !bytes.Equal(again, data[:log.Bytes]) || running != check {
			t.Errorf("%d good bytes were written again as %d others", log.Bytes, len(again))
		}
	})
}

// What a file makes us allocate is bounded by its size, whatever it claims.
func TestReadingAllocatesNoMoreThanTwiceTheFile(t *testing.T) {
	header := sampleHeader()
	header.Q = 1 // the smallest records, which grow most in memory
	whole, check := encodeHead(&header, version)
	for number := uint64(1); number <= 20000; number++ {
		s := sampleStep(number, 1)
		whole, check = appendRaw(whole, check, typeStep, appendStep(nil, &s))
	}
	lying := bytes.Clone(whole)
	clear(lying[len(lying)/2:])
	for name, data := range map[string][]byte{"good": whole, "half zeros": lying} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := decode(data)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(2*len(data)+1<<16); got > limit {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, got, len(data))
		}
	}
}
