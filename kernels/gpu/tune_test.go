package gpu

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zeroth/runtime/backend"
	"zeroth/runtime/op"
)

// tunedDevice is quick with one tile alone.
type tunedDevice struct {
	testDevice
	quick  Tile
	trials int
	broken bool // trials fail
}

func (d *tunedDevice) TuningName() string { return "a device, a driver" }

func (d *tunedDevice) Record(stages []Stage) (Recording, error) {
	r := &tunedRecording{testRecording{&d.testDevice}, 0}
	if len(stages) == 4 && stages[0].Kernel.Name == "linear" { // a trial
		d.trials++
		if d.broken {
			return nil, ErrMemory
		}
		if c := stages[0].Constants; c[1] != uint32(d.quick.A) || c[2] != uint32(d.quick.B) {
			r.takes = time.Millisecond
		}
	}
	_, err := d.testDevice.Record(stages)
	return r, err
}

type tunedRecording struct {
	testRecording
	takes time.Duration
}

func (r *tunedRecording) Run(ctx context.Context) error {
	time.Sleep(r.takes)
	return r.testRecording.Run(ctx)
}

// compiled gives the tile that the product of a partition got.
func (d *tunedDevice) compiled(t *testing.T) Tile {
	t.Helper()
	ops, err := New("test", d, Options{Tune: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ops.Delegate("test:0").Open(backend.SessionInfo{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := chain(1, 64, 128)
	if err := ops.Delegate("test:0").Supports(&p.Nodes[1], p.Values); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Compile(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	last := d.recorded[len(d.recorded)-1]
	c := last[len(last)-1].Constants
	return Tile{int(c[1]), int(c[2])}
}

// The quickest tile is found once, and kept; a file that was damaged is ignored.
func TestTuning(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, cache)
	}
	d := &tunedDevice{testDevice: *newTestDevice(1 << 24), quick: Tile{4, 8}}
	if got := d.compiled(t); got != d.quick || d.trials != len(tiles) {
		t.Errorf("tile %v after %d trials", got, d.trials)
	}
	if len(d.live) != 1 { // the quantile table
		t.Errorf("%d buffers are left", len(d.live))
	}
	d.quick, d.trials = Tile{8, 4}, 0
	if got := d.compiled(t); got != (Tile{4, 8}) || d.trials != 0 {
		t.Errorf("tile %v after %d trials, though it was known", got, d.trials)
	}
	path := newTileStore(d.TuningName()).path
	if !strings.HasPrefix(path, cache) {
		t.Fatalf("the cache is %s", path)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "{", "[]", strings.Replace(string(sound), `"A": 4`, `"A": 5`, 1), strings.Replace(string(sound), `"A": 4`, `"A": -4`, 1),
		strings.Replace(string(sound), "a driver", "another", 1), strings.Replace(string(sound), " 64 ", " 65 ", 1),
	} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		d.trials = 0
		if got := d.compiled(t); got != d.quick || d.trials == 0 {
			t.Errorf("%q: tile %v after %d trials", bad, got, d.trials)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files: %v", len(entries), err)
	}
}

// Where no tile could be tried the usual one serves, and nothing is kept.
func TestTrialsFail(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, cache)
	}
	d := &tunedDevice{testDevice: *newTestDevice(1 << 24), quick: Tile{4, 8}, broken: true}
	if got := d.compiled(t); got != usualTile(64) || d.trials != len(tiles) {
		t.Errorf("tile %v after %d trials", got, d.trials)
	}
	d.broken = false
	if got := d.compiled(t); got != d.quick {
		t.Errorf("tile %v, though trials work again", got)
	}
}

// Few rows are not tried with tiles that they would not half fill.
func TestCandidates(t *testing.T) {
	for rows, want := range map[int]int{1: 2, 16: 2, 17: 4 + 2, 33: 6, 512: 6} {
		c := classOf(chain(1, rows, 128).Values[2].Tensor.Type, rows, 1<<20, 64)
		if got := len(c.candidates()); got != want || c.M != mostTriedColumns {
			t.Errorf("%d rows: %d candidates, want %d: %v", rows, got, want, c)
		}
	}
}

// slowDevice takes its time for every row of x of a product.
type slowDevice struct {
	testDevice
	row  time.Duration
	rows []int // of each recording
}

func (d *slowDevice) Record(stages []Stage) (Recording, error) {
	var words [MaxWords]uint32
	total := 0
	for _, s := range stages {
		s.Extents(words[:s.Kernel.Words])
		total += int(s.Spans[0].Size) / 4 / 64 // x is f32 of K = 64
	}
	d.rows = append(d.rows, total)
	_, err := d.testDevice.Record(stages)
	return &tunedRecording{testRecording{&d.testDevice}, time.Duration(total) * d.row}, err
}

// A product is timed with fewer rows on a device that would take too long for them,
// with all of them on another.
func TestSlowDevicesTimeFewerRows(t *testing.T) {
	w := op.Type{DType: op.F32, Layout: op.Panels16, Shape: []op.Dim{op.C(32), op.C(64)}}
	for _, test := range []struct {
		row    time.Duration
		budget time.Duration
		want   func(rows int) bool
	}{
		{0, time.Second, func(rows int) bool { return rows == 1000 }},
		{10 * time.Microsecond, 2 * time.Millisecond, func(rows int) bool { return rows == fewRows }},
		// 1 s is for 16 products of each tile, at 10 µs a row: not for 1000 rows.
		{10 * time.Microsecond, time.Second, func(rows int) bool { return rows < 1000 && rows >= fewRows }},
	} {
		d := &slowDevice{testDevice: *newTestDevice(1 << 30), row: test.row}
		ops, err := New("test", d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := ops.TimeProduct(t.Context(), w, 1000, test.budget)
		if err != nil {
			t.Fatal(err)
		}
		if !test.want(p.Rows) {
			t.Errorf("%s a row, at most %s: timed with %d rows", test.row, test.budget, p.Rows)
		}
		repeats := often.repeats
		if p.Rows == fewRows {
			repeats = probe.repeats
		}
		if len(d.rows) != 1+p.Tried || d.rows[0] != fewRows || d.rows[1] != repeats*p.Rows {
			t.Errorf("%+v; rows of the recordings: %v", p, d.rows)
		}
		if slow := test.budget < time.Second; (p.Tried < p.Tiles) != slow || p.Tried == 0 || p.Seconds == 0 {
			t.Errorf("%+v", p)
		}
	}
}
