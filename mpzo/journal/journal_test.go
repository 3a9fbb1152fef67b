package journal

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/v2.journal anew (only while version 2 is not released)")

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.journal")
	header := sampleHeader()
	w, err := Create(path, header)
	if err != nil {
		t.Fatal(err)
	}
	want := Log{Header: header, version: version}
	for number := uint64(1); number <= 20; number++ {
		s := sampleStep(number, header.Q)
		if err := w.Step(s); err != nil {
			t.Fatal(err)
		}
		want.Steps = append(want.Steps, s)
		if number%5 == 0 {
			if err := w.Eval(sampleEval(number)); err != nil {
				t.Fatal(err)
			}
			want.Evals = append(want.Evals, sampleEval(number))
		}
	}
	if w.Last() != 20 {
		t.Errorf("Last is %d, want 20", w.Last())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	headSize := preambleBytes + frameBytes + headerBytes(&header)
	want.Bytes = int64(headSize + 20*(33+4*header.Q) + 4*63)
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("read back\n%+v\nwant\n%+v", *got, want)
	}
}

func TestGolden(t *testing.T) {
	const golden = "testdata/v2.journal"
	path := filepath.Join(t.TempDir(), "run.journal")
	w, err := Create(path, sampleHeader())
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		w.Eval(sampleEval(0)), w.Step(sampleStep(1, 3)), w.Step(sampleStep(2, 3)),
		w.Eval(Eval{Step: 2, Of: 2, Kind: EvalTrain, Metrics: HasLoss, Examples: 16, Loss: 1.5}),
		w.Step(sampleStep(3, 3)), w.Eval(sampleEval(3)), w.Eval(sampleTest(3, 2)), w.Close())
	if err != nil {
		t.Fatal(err)
	}
	written := readBytes(t, path)
	if *update {
		if err := os.WriteFile(golden, written, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := readBytes(t, golden); !bytes.Equal(written, want) {
		t.Errorf("wrote %d bytes that differ from the %d of %s: a change of the bytes needs a new version", len(written), len(want), golden)
	}
	log, err := Read(golden)
	if err != nil {
		t.Fatal(err)
	}
	if log.Damage != nil || len(log.Steps) != 3 || len(log.Evals) != 4 || log.Evals[3] != sampleTest(3, 2) || !reflect.DeepEqual(log.Header, sampleHeader()) {
		t.Errorf("%s reads as %s", golden, describe(log))
	}
}

// Journals of version 1 are read, and appended to in version 1.
func TestVersion1(t *testing.T) {
	whole := readBytes(t, "testdata/v1.journal")
	log, err := Read("testdata/v1.journal")
	if err != nil {
		t.Fatal(err)
	}
	if log.Damage != nil || len(log.Steps) != 3 || len(log.Evals) != 3 || log.Evals[2] != sampleEval(3) {
		t.Errorf("version 1 reads as %s", describe(log))
	}
	last := frameBytes + evalBytesOf1
	path := writeFile(t, whole[:len(whole)-last])
	w, _, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, newer := range []Eval{sampleTest(3, 3), {Step: 3, Of: 2, Kind: EvalTest, Metrics: HasLoss}} {
		if err := w.Eval(newer); !errors.Is(err, ErrRecord) {
			t.Errorf("%+v in version 1 gives %v", newer, err)
		}
	}
	if err := errors.Join(w.Eval(sampleEval(3)), w.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readBytes(t, path), whole) {
		t.Error("the last evaluation was not appended as version 1 has it")
	}
}

// A run stopped after any step and resumed leaves the bytes of one that was not.
func TestResumeLeavesTheSameBytes(t *testing.T) {
	whole, ends := sampleBytes()
	for stop := range ends {
		path := writeFile(t, whole[:ends[stop]])
		w, log, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if log.Damage != nil {
			t.Fatalf("stopped after record %d: %s", stop, describe(log))
		}
		rest, err := Read(writeFile(t, whole))
		if err != nil {
			t.Fatal(err)
		}
		evals := rest.Evals[len(log.Evals):]
		for number := len(log.Steps); number <= len(rest.Steps); number++ {
			if number > len(log.Steps) {
				if err := w.Step(rest.Steps[number-1]); err != nil {
					t.Fatal(err)
				}
			}
			for len(evals) > 0 && evals[0].Step == uint64(number) {
				if err := w.Eval(evals[0]); err != nil {
					t.Fatal(err)
				}
				evals = evals[1:]
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(readBytes(t, path), whole) {
			t.Errorf("stopped after record %d: the resumed journal differs", stop)
		}
	}
}

func TestCreateRefusesExisting(t *testing.T) {
	path := writeFile(t, []byte("precious"))
	if _, err := Create(path, sampleHeader()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	if string(readBytes(t, path)) != "precious" {
		t.Error("the existing file was touched")
	}
}

func TestCreateRefusesBadHeaders(t *testing.T) {
	nan := float32(math.NaN())
	cases := map[string]func(*Header){
		"rank 0":          func(h *Header) { h.Rank = 0 },
		"rank huge":       func(h *Header) { h.Rank = maxRank + 1 },
		"alpha 0":         func(h *Header) { h.Alpha = 0 },
		"alpha NaN":       func(h *Header) { h.Alpha = nan },
		"no sampler":      func(h *Header) { h.Sampler = 0 },
		"q 0":             func(h *Header) { h.Q = 0 },
		"q huge":          func(h *Header) { h.Q = maxQueries + 1 },
		"eps infinite":    func(h *Header) { h.Eps = float32(math.Inf(1)) },
		"no sites":        func(h *Header) { h.Sites = nil },
		"site unnamed":    func(h *Header) { h.Sites[0].Name = "" },
		"site name long":  func(h *Header) { h.Sites[0].Name = strings.Repeat("x", maxNameBytes+1) },
		"site name \\n":   func(h *Header) { h.Sites[0].Name = "a\nb" },
		"site name bytes": func(h *Header) { h.Sites[0].Name = "\xff" },
		"site ids equal":  func(h *Header) { h.Sites[0].ID = h.Sites[1].ID },
		"names equal":     func(h *Header) { h.Sites[0].Name = h.Sites[1].Name },
		"empty key":       func(h *Header) { h.Settings[""] = "x" },
		"long value":      func(h *Header) { h.Settings["x"] = strings.Repeat("x", maxValueBytes+1) },
		"value bytes":     func(h *Header) { h.Settings["x"] = "\xc3" },
		"header too long": func(h *Header) {
			for i := range 20 {
				h.Settings[strings.Repeat("k", i+1)] = strings.Repeat("x", maxValueBytes)
			}
		},
	}
	for name, breakIt := range cases {
		header := sampleHeader()
		breakIt(&header)
		path := filepath.Join(t.TempDir(), "run.journal")
		if _, err := Create(path, header); !errors.Is(err, ErrHeader) {
			t.Errorf("%s: got %v, want ErrHeader", name, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was left behind", name)
		}
	}
}

func TestAppendRefusesBrokenRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.journal")
	w, err := Create(path, sampleHeader())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Step(sampleStep(1, 3)); err != nil {
		t.Fatal(err)
	}
	before := readBytes(t, path)
	nan, inf := math.NaN(), math.Inf(-1)
	steps := map[string]struct {
		breakIt func(*Step)
		want    error
	}{
		"repeated":    {func(s *Step) { s.Number = 1 }, ErrRecord},
		"skipped":     {func(s *Step) { s.Number = 3 }, ErrRecord},
		"q too small": {func(s *Step) { s.ProjGrads = s.ProjGrads[:2] }, ErrRecord},
		"q too large": {func(s *Step) { s.ProjGrads = append(s.ProjGrads, 1) }, ErrRecord},
		"lr negative": {func(s *Step) { s.LR = -1 }, ErrRecord},
		"lr NaN":      {func(s *Step) { s.LR = float32(nan) }, ErrNotFinite},
		"loss NaN":    {func(s *Step) { s.Loss = float32(nan) }, ErrNotFinite},
		"loss -Inf":   {func(s *Step) { s.Loss = float32(inf) }, ErrNotFinite},
		"g NaN":       {func(s *Step) { s.ProjGrads[2] = float32(nan) }, ErrNotFinite},
		"g -Inf":      {func(s *Step) { s.ProjGrads[0] = float32(inf) }, ErrNotFinite},
	}
	for name, c := range steps {
		s := sampleStep(2, 3)
		c.breakIt(&s)
		if err := w.Step(s); !errors.Is(err, c.want) {
			t.Errorf("step %s: got %v, want %v", name, err, c.want)
		}
	}
	evals := map[string]struct {
		breakIt func(*Eval)
		want    error
	}{
		"of a past step":   {func(e *Eval) { e.Step = 0 }, ErrRecord},
		"of a later step":  {func(e *Eval) { e.Step = 2 }, ErrRecord},
		"kind 0":           {func(e *Eval) { e.Kind = 0 }, ErrRecord},
		"kind 4":           {func(e *Eval) { e.Kind = 4 }, ErrRecord},
		"no metric":        {func(e *Eval) { e.Metrics = 0 }, ErrRecord},
		"unknown metric":   {func(e *Eval) { e.Metrics = 4 }, ErrRecord},
		"loss NaN":         {func(e *Eval) { e.Loss = nan }, ErrNotFinite},
		"accuracy NaN":     {func(e *Eval) { e.Accuracy = nan }, ErrNotFinite},
		"accuracy in %":    {func(e *Eval) { e.Accuracy = 75 }, ErrRecord},
		"accuracy below 0": {func(e *Eval) { e.Accuracy = -0.5 }, ErrRecord},
		"stray loss":       {func(e *Eval) { e.Metrics = HasAccuracy }, ErrRecord},
		"stray accuracy":   {func(e *Eval) { e.Metrics = HasLoss }, ErrRecord},
	}
	for name, c := range evals {
		e := sampleEval(1)
		c.breakIt(&e)
		if err := w.Eval(e); !errors.Is(err, c.want) {
			t.Errorf("evaluation %s: got %v, want %v", name, err, c.want)
		}
	}
	if !bytes.Equal(readBytes(t, path), before) {
		t.Error("a refused record changed the file")
	}
	if err := w.Step(sampleStep(2, 3)); err != nil {
		t.Errorf("a good step after refused ones: %v", err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.journal")
	w, err := Create(path, sampleHeader())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(path); !errors.Is(err, ErrLocked) {
		t.Errorf("a second writer: got %v, want ErrLocked", err)
	}
	if _, err := Read(path); err != nil {
		t.Errorf("reading beside the writer: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, _, err := Open(path)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestClosed(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "run.journal"), sampleHeader())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Step": w.Step(sampleStep(1, 3)), "Eval": w.Eval(sampleEval(0)), "Sync": w.Sync(), "Close": w.Close(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: got %v, want ErrClosed", name, err)
		}
	}
}

func TestNotARegularFile(t *testing.T) {
	folder := t.TempDir()
	if _, err := Read(folder); !errors.Is(err, ErrFormat) {
		t.Errorf("Read of a folder: got %v, want ErrFormat", err)
	}
	if _, _, err := Open(folder); !errors.Is(err, ErrFormat) {
		t.Errorf("Open of a folder: got %v, want ErrFormat", err)
	}
	if _, err := Read(filepath.Join(folder, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read of nothing: got %v, want fs.ErrNotExist", err)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "run.journal"), sampleHeader())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.SyncEvery(0, time.Hour)
	s := sampleStep(1, 3)
	var failed error
	steps := testing.AllocsPerRun(200, func() {
		if err := w.Step(s); err != nil {
			failed = err
		}
		s.Number++
	})
	e := sampleEval(w.Last())
	evals := testing.AllocsPerRun(200, func() {
		if err := w.Eval(e); err != nil {
			failed = err
		}
	})
	if failed != nil {
		t.Fatal(failed)
	}
	if steps != 0 || evals != 0 {
		t.Errorf("a step makes %v allocations and an evaluation %v, want none", steps, evals)
	}
}

func TestMismatch(t *testing.T) {
	cases := map[string]func(*Header){
		"program":    func(h *Header) { h.Program[3]++ },
		"start":      func(h *Header) { h.Start[3]++ },
		"seed":       func(h *Header) { h.Seed++ },
		"rank":       func(h *Header) { h.Rank++ },
		"alpha":      func(h *Header) { h.Alpha++ },
		"sampler":    func(h *Header) { h.Sampler++ },
		"q is":       func(h *Header) { h.Q++ },
		"eps":        func(h *Header) { h.Eps *= 2 },
		"number of":  func(h *Header) { h.Sites = h.Sites[:1] },
		"site 1":     func(h *Header) { h.Sites[1].ID++ },
		`"task"`:     func(h *Header) { h.Settings["task"] = "copa" },
		`"batch"`:    func(h *Header) { delete(h.Settings, "batch") },
		`"schedule"`: func(h *Header) { h.Settings["schedule"] = "linear" },
	}
	journal := sampleHeader()
	for field, change := range cases {
		want := sampleHeader()
		change(&want)
		if err := journal.Mismatch(&want); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	want := sampleHeader()
	if err := journal.Mismatch(&want); err != nil {
		t.Errorf("equal headers: %v", err)
	}
}
