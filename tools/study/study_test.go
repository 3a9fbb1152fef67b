package study

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

const small = `{"rows": 1000, "evaluations": 4, "seeds": 3,
 "tasks": [{"name": "a", "program": "p", "flags": {"data": "d"}}, {"name": "b", "program": "p", "rows": 500}],
 "methods": [
  {"name": "plain", "lr": 0.001, "flags": {"estimator": "prge"}, "grid": {"q": [1, 2], "batch": ["3"]}},
  {"name": "other", "lr": 1, "share": 0.5, "flags": {"normalise": true}, "tasks": ["a"]}]}`

func read(t *testing.T, text string) *Spec {
	t.Helper()
	s, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bowl is a runner whose loss is least at one rate, more so for larger q, and
// worse by the seed; too large a rate diverges.
type bowl struct {
	least   float64 // the best rate
	runs    atomic.Int64
	stop    int64 // fail at this run; 0: never
	seenAll chan Cell
}

var errStopped = errors.New("stopped")

func (b *bowl) Run(_ context.Context, c Cell) (Result, error) {
	if n := b.runs.Add(1); n == b.stop {
		return Result{}, errStopped
	}
	b.seenAll <- c
	q, _ := strconv.Atoi(string(c.Flags["q"]))
	off := math.Log(c.LR / b.least)
	if off > 3 {
		return Result{Diverged: true, Steps: 1}, nil
	}
	r := Result{Steps: 4}
	for i := range c.Evaluations + 1 {
		share := float64(i) / float64(c.Evaluations)
		accuracy := share
		r.Points = append(r.Points, Point{
			Step: uint64(i), Rows: int64(share * float64(c.Rows)), Accuracy: &accuracy,
			Loss: 10 - share*(5-off*off+float64(q)) + 0.1*float64(c.Seed),
		})
	}
	return r, nil
}

func newStudy(t *testing.T, spec *Spec, runner *bowl, folder string, jobs int) *Study {
	t.Helper()
	runner.seenAll = make(chan Cell, 1000)
	return &Study{
		Spec: spec, Folder: folder, Runner: runner, Jobs: jobs,
		Contents: map[string]map[string]string{"a": {"data": "1"}, "b": {"data": "2"}},
		Done:     func(Result, bool) {},
	}
}

// The rate is found from either side, also where the first ones diverge, and
// the best point of the grid is run with all seeds.
func TestSearch(t *testing.T) {
	for _, least := range []float64{0.001, 0.0001, 0.02} {
		runner := &bowl{least: least}
		outcomes, err := newStudy(t, read(t, small), runner, t.TempDir(), 1).Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(outcomes) != 3 {
			t.Fatalf("%d outcomes, want 3", len(outcomes))
		}
		for _, o := range outcomes {
			if ratio := o.LR / least; ratio < 0.7 || ratio > 1.42 {
				t.Errorf("%s, %s: the best rate is %g, found %g", o.Task, o.Method, least, o.LR)
			}
			if len(o.Runs) != 3 {
				t.Errorf("%s, %s: %d runs, want 3", o.Task, o.Method, len(o.Runs))
			}
			if o.Method == "plain" && (o.Flags["q"] != "2" || o.Flags["batch"] != "3" || o.Flags["estimator"] != "prge") {
				t.Errorf("%s: the best point is %v", o.Task, o.Flags)
			}
			for i, r := range o.Runs {
				want := map[string]int64{"a plain": 1000, "a other": 500, "b plain": 500}[o.Task+" "+o.Method]
				if r.Cell.Rows != want || r.Cell.Seed != uint64(i+1) {
					t.Errorf("%s, %s, run %d: %d rows and seed %d, want %d rows", o.Task, o.Method, i, r.Cell.Rows, r.Cell.Seed, want)
				}
			}
		}
	}
}

// A study that was ended at any run goes on there, and comes to the same.
func TestResume(t *testing.T) {
	spec := read(t, small)
	whole := &bowl{least: 0.003}
	want, err := newStudy(t, spec, whole, t.TempDir(), 1).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	total := whole.runs.Load()
	for _, jobs := range []int{1, 4} {
		folder := t.TempDir()
		first := &bowl{least: 0.003, stop: total / 2}
		if _, err := newStudy(t, spec, first, folder, jobs).Run(context.Background()); !errors.Is(err, errStopped) {
			t.Fatalf("want it stopped: %v", err)
		}
		second := &bowl{least: 0.003}
		got, err := newStudy(t, spec, second, folder, jobs).Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if done := int64(len(first.seenAll)) + second.runs.Load(); done != total {
			t.Errorf("%d jobs: %d runs in all, want %d", jobs, done, total)
		}
		for i := range want {
			if got[i].Final() != want[i].Final() || got[i].LR != want[i].LR || !maps.Equal(got[i].Flags, want[i].Flags) {
				t.Errorf("%d jobs: outcome %d is %+v, want %+v", jobs, i, got[i], want[i])
			}
		}
	}
}

// Another rate, seed, flag, budget or file is another cell; another name is not.
func TestCellsAreKeptByWhatDecidesThem(t *testing.T) {
	base := Cell{Task: "t", Method: "m", Flags: Flags{"q": "1"}, LR: 1, Seed: 1, Rows: 10, Evaluations: 2, Contents: map[string]string{"data": "x"}}
	path := func(change func(*Cell)) string {
		c := base
		change(&c)
		p, err := store{"f"}.path(c)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	same := path(func(*Cell) {})
	seen := []string{same}
	for i, change := range []func(*Cell){
		func(c *Cell) { c.LR = 2 }, func(c *Cell) { c.Seed = 2 }, func(c *Cell) { c.Rows = 11 },
		func(c *Cell) { c.Flags = Flags{"q": "2"} }, func(c *Cell) { c.Evaluations = 3 },
		func(c *Cell) { c.Contents = map[string]string{"data": "y"} },
	} {
		p := path(change)
		if slices.Contains(seen, p) {
			t.Errorf("change %d gives no cell of its own", i)
		}
		seen = append(seen, p)
	}
	if path(func(c *Cell) { c.Task, c.Method, c.Program = "x", "y", "z" }) != same {
		t.Error("names decide a cell")
	}
}

// What stands where a result should be is an error that names the file.
func TestSpoiltCell(t *testing.T) {
	folder := t.TempDir()
	c := Cell{LR: 1}
	path, err := store{folder}.path(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"cell": 3`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (store{folder}).get(context.Background(), c, nil); err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
		t.Errorf("a spoilt cell: %v", err)
	}
}

func TestTable(t *testing.T) {
	run := func(losses ...float64) Result {
		var r Result
		for i, loss := range losses {
			r.Points = append(r.Points, Point{Step: uint64(i), Rows: int64(100 * i), Loss: loss})
		}
		return r
	}
	outcomes := []Outcome{
		{Task: "a", Method: "base", Runs: []Result{run(5, 4, 3, 2), run(5, 4.5, 3.5, 2.5), run(5, 3, 2.5, 1)}},
		{Task: "a", Method: "fast", Runs: []Result{run(5, 3, 1, 1)}},
		{Task: "a", Method: "slow", Runs: []Result{run(5, 4.5, 4, 3.5), {Diverged: true, Points: run(5, 9).Points}}},
	}
	rows := Table(outcomes, "base")
	curve := rows[0].Curve
	if !slices.Equal(curve.Median, []float64{5, 4, 3, 2}) || !slices.Equal(curve.Low, []float64{5, 3, 2.5, 1}) || !slices.Equal(curve.Top, []float64{5, 4.5, 3.5, 2.5}) {
		t.Errorf("the baseline's curve is %+v", curve)
	}
	if rows[0].ToBaseline != 300 || rows[0].Saved != 1 {
		t.Errorf("the baseline comes to itself after %g rows, %g", rows[0].ToBaseline, rows[0].Saved)
	}
	if rows[1].ToBaseline != 150 || rows[1].Saved != 2 { // from 3 at 100 to 1 at 200
		t.Errorf("fast: %g rows, %g times fewer; want 150 and 2", rows[1].ToBaseline, rows[1].Saved)
	}
	if !math.IsInf(rows[2].ToBaseline, 1) || rows[2].Saved != 0 || !math.IsInf(rows[2].Final(), 1) || len(rows[2].Curve.Rows) != 2 {
		t.Errorf("slow: %g rows, %g, final %g", rows[2].ToBaseline, rows[2].Saved, rows[2].Final())
	}
	var out strings.Builder
	if err := WriteCSV(&out, outcomes[1:2]); err != nil {
		t.Fatal(err)
	}
	if want := "task,method,flags,lr,seed,step,rows,loss,accuracy\na,fast,,0,0,0,0,5,\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("the table is %q", out.String())
	}
}

// What is written is read again: curves, settings, and that a run diverged.
func TestReadCSV(t *testing.T) {
	accuracy := 0.5
	points := []Point{{Step: 0, Rows: 0, Loss: 2, Accuracy: &accuracy}, {Step: 4, Rows: 99, Loss: 1.5}}
	run := func(seed uint64, points []Point) Result { return Result{Cell: Cell{Seed: seed}, Points: points} }
	outcomes := []Outcome{
		{Task: "a", Method: "one, two", LR: 0.25, Flags: Flags{"q": "3", "normalise": "true"}, Runs: []Result{run(1, points), run(2, points[:1])}},
		{Task: "b", Method: "one, two", LR: 4, Flags: Flags{}, Runs: []Result{run(7, points)}},
	}
	var out strings.Builder
	if err := WriteCSV(&out, outcomes); err != nil {
		t.Fatal(err)
	}
	got, err := ReadCSV(strings.NewReader(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	var again strings.Builder
	if err := WriteCSV(&again, got); err != nil || again.String() != out.String() {
		t.Errorf("%v: it is %q, was %q", err, again.String(), out.String())
	}
	if len(got) != 2 || !maps.Equal(got[0].Flags, outcomes[0].Flags) || got[0].Runs[0].Steps != 4 {
		t.Errorf("the outcomes are %+v", got)
	}
	if got[0].Runs[0].Diverged || !got[0].Runs[1].Diverged || got[1].Runs[0].Diverged {
		t.Errorf("of the runs the second of the first outcome diverged: %+v", got)
	}
	head := strings.Join(columns, ",") + "\n"
	for _, text := range []string{
		"", "task,method\n", "a,b,,1,1,0,0,1,\n", head + "a,b,,x,1,0,0,1,\n", head + "a,b,,1,-1,0,0,1,\n", head + "a,b,,1,1,0,0,NaN,\n",
		head + "a,b,,1,1,0,-5,1,\n", head + "a,b,,1,1,0,0,1,y\n", head + "a,b,,1,1,5,9,1,\na,b,,1,1,6,8,1,\n", head + "a,b,,1,1,0,0,1\n",
	} {
		if _, err := ReadCSV(strings.NewReader(text)); !errors.Is(err, ErrCSV) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	head := strings.Join(columns, ",") + "\n"
	f.Add(head + "a,b,--q 1,1,1,0,0,1,\na,b,--q 1,1,1,5,9,0.5,0.1\n")
	f.Fuzz(func(t *testing.T, text string) {
		outcomes, err := ReadCSV(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, row := range Table(outcomes, "b") {
			if len(row.Runs) == 0 || len(row.Curve.Rows) == 0 {
				t.Errorf("an outcome without points: %+v", row.Outcome)
			}
		}
	})
}

// The spec that BUILD.md names is one.
func TestSpecOfBackprop(t *testing.T) {
	file, err := os.Open("backprop.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := Read(file); err != nil {
		t.Error(err)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ from, to, names string }{
		{`"rows": 1000`, `"rows": -1`, "rows"},
		{`"evaluations": 4`, `"evaluations": 0`, "evaluations"},
		{`"seeds": 3`, `"seeds": 0`, "seeds"},
		{`"seeds": 3`, `"seeds": 3, "searchSeeds": 4`, "searchSeeds"},
		{`"seeds": 3`, `"seeds": 3, "factor": 1`, "factor"},
		{`"seeds": 3`, `"seeds": 3, "baseline": "none"`, "baseline"},
		{`"seeds": 3`, `"seeds": 3, "colour": 1`, "colour"},
		{`"name": "b"`, `"name": "a"`, "not its own"},
		{`"name": "other"`, `"name": "plain"`, "not its own"},
		{`"program": "p", "rows"`, `"rows"`, "program"},
		{`"lr": 1,`, `"lr": 0,`, "lr"},
		{`"share": 0.5`, `"share": 2`, "share"},
		{`"normalise": true`, `"normalise": false`, "flag's value"},
		{`"normalise": true`, `"--normalise": true`, "dashes"},
		{`"normalise": true`, `"seed": 1`, "itself"},
		{`"q": [1, 2]`, `"q": []`, "no values"},
		{`"q": [1, 2]`, `"out": [1, 2]`, "itself"},
		{`"tasks": ["a"]`, `"tasks": ["c"]`, "no task"},
		{`]}`, `]} {}`, "follows"},
	} {
		if !strings.Contains(small, c.from) {
			t.Fatalf("the spec has no %s", c.from)
		}
		at := strings.LastIndex(small, c.from)
		text := small[:at] + c.to + small[at+len(c.from):]
		if _, err := Read(strings.NewReader(text)); !errors.Is(err, ErrSpec) || !strings.Contains(fmt.Sprint(err), c.names) {
			t.Errorf("%s: %v, want it to name %s", c.to, err, c.names)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(small)
	f.Add(`{"methods": [{"grid": {"a": [1]}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for i := range s.Methods {
			if n := len(s.Methods[i].points()); n < 1 || n > maxPoints {
				t.Errorf("%d points", n)
			}
		}
	})
}
