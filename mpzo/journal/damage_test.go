package journal

import (
	"bytes"
	"errors"
	"math"
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
	otherHead, otherCheck := encodeHead(&other)
	eval := sampleEval(0)
	otherRun, otherCheck := appendRaw(otherHead, otherCheck, typeEval, appendEval(nil, &eval))
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

// malformed are journals whose checks are good and whose content breaks a rule,
// or whose head is broken.
func malformed() map[string]struct {
	data []byte
	want error
} {
	type broken = struct {
		data []byte
		want error
	}
	cases := map[string]broken{}
	good := sampleHeader()
	goodPayload := appendHeader(nil, &good)

	header := func(name string, change func(payload []byte) []byte) {
		data, _ := rawJournal(change(bytes.Clone(goodPayload)))
		cases["header: "+name] = broken{data, ErrFormat}
	}
	edit := func(name string, change func(payload []byte)) {
		header(name, func(payload []byte) []byte { change(payload); return payload })
	}
	firstName := headerFixedBytes + 8
	header("empty", func([]byte) []byte { return nil })
	header("cut in the fixed part", func(p []byte) []byte { return p[:headerFixedBytes-1] })
	header("cut before the sites", func(p []byte) []byte { return p[:headerFixedBytes] })
	header("cut in a site", func(p []byte) []byte { return p[:firstName+3] })
	header("cut in a setting", func(p []byte) []byte { return p[:len(p)-1] })
	header("a byte too many", func(p []byte) []byte { return append(p, 0) })
	edit("rank 0", func(p []byte) { put32(p, 72, 0) })
	edit("rank huge", func(p []byte) { put32(p, 72, math.MaxUint32) })
	edit("alpha 0", func(p []byte) { putFloat(p, 76, 0) })
	edit("alpha negative", func(p []byte) { putFloat(p, 76, -1) })
	edit("alpha NaN", func(p []byte) { putFloat(p, 76, math.NaN()) })
	edit("sampler 0", func(p []byte) { put32(p, 80, 0) })
	edit("q 0", func(p []byte) { put32(p, 84, 0) })
	edit("q 2³²-1", func(p []byte) { put32(p, 84, math.MaxUint32) })
	edit("q past the limit", func(p []byte) { put32(p, 84, maxQueries+1) })
	edit("eps 0", func(p []byte) { putFloat(p, 88, 0) })
	edit("eps infinite", func(p []byte) { putFloat(p, 88, math.Inf(1)) })
	edit("no sites", func(p []byte) { put32(p, 92, 0) })
	edit("one site less", func(p []byte) { put32(p, 92, 1) })
	edit("one site more", func(p []byte) { put32(p, 92, 3) })
	edit("2³²-1 sites", func(p []byte) { put32(p, 92, math.MaxUint32) })
	edit("sites that wrap", func(p []byte) { put32(p, 92, math.MaxUint32/siteFixedBytes+1) })
	edit("one setting less", func(p []byte) { put32(p, 96, 2) })
	edit("one setting more", func(p []byte) { put32(p, 96, 4) })
	edit("2³²-1 settings", func(p []byte) { put32(p, 96, math.MaxUint32) })
	edit("empty site name", func(p []byte) { p[firstName], p[firstName+1] = 0, 0 })
	edit("site name past the end", func(p []byte) { p[firstName], p[firstName+1] = 0xff, 0xff })
	edit("site name not UTF-8", func(p []byte) { p[firstName+2] = 0xff })
	edit("site name with NUL", func(p []byte) { p[firstName+5] = 0 })
	edit("site ids equal", func(p []byte) { put64(p, headerFixedBytes, 7) })
	header("site names equal", func(p []byte) []byte {
		h := sampleHeader()
		h.Sites[1].Name = h.Sites[0].Name
		return appendHeader(nil, &h)
	})
	swap := func(name, first, second string) {
		header(name, func(p []byte) []byte {
			h := sampleHeader()
			h.Settings = nil
			p = appendHeader(nil, &h)
			put32(p, 96, 2)
			for _, text := range []string{first, "1", second, "2"} {
				p = appendText(p, text)
			}
			return p
		})
	}
	swap("keys out of order", "b", "a")
	swap("key twice", "a", "a")
	swap("empty key", "", "a")
	swap("key with a line end", "a", "b\n")

	head, headCheck := encodeHead(&good)
	preamble := func(name string, want error, change func(data []byte) []byte) {
		cases["head: "+name] = broken{change(bytes.Clone(head)), want}
	}
	preamble("empty", ErrFormat, func([]byte) []byte { return nil })
	preamble("other magic", ErrFormat, func(d []byte) []byte { d[0] = 'z'; return d })
	preamble("version 0", ErrVersion, func(d []byte) []byte { put32(d, 8, 0); return d })
	preamble("version 2", ErrVersion, func(d []byte) []byte { put32(d, 8, 2); return d })
	preamble("first record a step", ErrFormat, func(d []byte) []byte { d[12] = typeStep; return d })
	preamble("length 2³²-1", ErrFormat, func(d []byte) []byte { put32(d, 13, math.MaxUint32); return d })
	preamble("length past the end", ErrFormat, func(d []byte) []byte { put32(d, 13, uint32(len(d))); return d })
	preamble("check wrong", ErrFormat, func(d []byte) []byte { d[len(d)-1]++; return d })

	record := func(name string, kind byte, payload []byte) {
		data, _ := appendRaw(bytes.Clone(head), headCheck, kind, payload)
		cases["record: "+name] = broken{data, ErrDamaged}
	}
	step := func(name string, change func(s *Step)) {
		s := sampleStep(1, 3)
		change(&s)
		record("step "+name, typeStep, appendStep(nil, &s))
	}
	eval := func(name string, change func(e *Eval)) {
		e := sampleEval(0)
		change(&e)
		record("evaluation "+name, typeEval, appendEval(nil, &e))
	}
	record("type 0", 0, nil)
	record("type 4", 4, make([]byte, evalBytes))
	record("second header", typeHeader, goodPayload)
	record("empty step", typeStep, nil)
	step("of q - 1", func(s *Step) { s.ProjGrads = s.ProjGrads[:2] })
	step("of q + 1", func(s *Step) { s.ProjGrads = append(s.ProjGrads, 0) })
	step("number 0", func(s *Step) { s.Number = 0 })
	step("number 2", func(s *Step) { s.Number = 2 })
	step("number 2⁶⁴-1", func(s *Step) { s.Number = math.MaxUint64 })
	step("lr negative", func(s *Step) { s.LR = -1 })
	step("lr NaN", func(s *Step) { s.LR = float32(math.NaN()) })
	step("loss infinite", func(s *Step) { s.Loss = float32(math.Inf(1)) })
	step("gradient NaN", func(s *Step) { s.ProjGrads[1] = float32(math.NaN()) })
	eval("of a later step", func(e *Eval) { e.Step = 1 })
	eval("kind 0", func(e *Eval) { e.Kind = 0 })
	eval("kind 255", func(e *Eval) { e.Kind = 255 })
	eval("without metrics", func(e *Eval) { e.Metrics = 0 })
	eval("metric unknown", func(e *Eval) { e.Metrics = 0x83 })
	eval("accuracy 2", func(e *Eval) { e.Accuracy = 2 })
	eval("loss NaN", func(e *Eval) { e.Loss = math.NaN() })
	record("evaluation too short", typeEval, make([]byte, evalBytes-1))
	record("evaluation too long", typeEval, make([]byte, evalBytes+1))
	return cases
}

func TestMalformed(t *testing.T) {
	cases := malformed()
	if len(cases) < 60 {
		t.Fatalf("only %d classes", len(cases))
	}
	for name, c := range cases {
		path := writeFile(t, c.data)
		if _, err := Read(path); !errors.Is(err, c.want) {
			t.Errorf("%s: Read: got %v, want %v", name, err, c.want)
		}
		w, _, err := Open(path)
		if !errors.Is(err, c.want) || w != nil {
			t.Errorf("%s: Open: got %v, want %v", name, err, c.want)
		}
		if !bytes.Equal(readBytes(t, path), c.data) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

// A file of what looks like records at every fifth byte ends the search early.
func TestSearchForLaterRecordsIsBounded(t *testing.T) {
	header := sampleHeader()
	header.Q = maxQueries
	data, _ := encodeHead(&header)
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
	for _, c := range malformed() {
		f.Add(c.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		log, check, err := decode(data)
		if err != nil {
			return
		}
		// What was read is written again to the very bytes of the good part.
		again, running := encodeHead(&log.Header)
		evals := log.Evals
		for number := 0; ; number++ {
			for len(evals) > 0 && evals[0].Step == uint64(number) {
				again, running = appendRaw(again, running, typeEval, appendEval(nil, &evals[0]))
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
	whole, check := encodeHead(&header)
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
