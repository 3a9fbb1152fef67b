package executor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"zeroth/runtime/executor"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// Threads change no bit, and the kernels agree with the plain ones.
func TestThreadsChangeNoBit(t *testing.T) {
	p := lower(t, small(t))
	var want []float32
	for _, threads := range []int{1, 2, 7} {
		s := session(t, p, packed(t), executor.Options{Bounds: bounds, Threads: threads})
		if s.Threads() != threads {
			t.Errorf("%d threads, want %d", s.Threads(), threads)
		}
		m := method(t, s, "losses")
		if err := m.Resize(batch); err != nil {
			t.Fatal(err)
		}
		feed(t, m, inputs())
		run(t, m)
		run(t, update(t, s))
		run(t, m)
		got := append(outputs(t, m, batch.Width), slot(t, s, 1)...)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d threads: %v, want %v", threads, got, want)
		}
	}
}

// Neither do the CPUs that the threads are held to, and a run on them allocates
// nothing.
func TestPinnedThreadsChangeNoBit(t *testing.T) {
	if err := (platform.CPUs{0}).Check(); err != nil {
		t.Skip(err)
	}
	losses := func(o executor.Options) []float32 {
		o.Bounds = bounds
		s := session(t, lower(t, small(t)), packed(t), o)
		m := method(t, s, "losses")
		if err := m.Resize(batch); err != nil {
			t.Fatal(err)
		}
		feed(t, m, inputs())
		if n := testing.AllocsPerRun(20, func() { run(t, m) }); n != 0 {
			t.Errorf("%s: %g allocations a run", o.CPUs, n)
		}
		return outputs(t, m, batch.Width)
	}
	want := losses(executor.Options{Threads: 1})
	for _, threads := range []int{0, 1, 3} {
		if got := losses(executor.Options{CPUs: platform.CPUs{0}, Threads: threads}); !slices.Equal(got, want) {
			t.Errorf("%d threads on CPU 0: %v, want %v", threads, got, want)
		}
	}
}

func TestUnusableCPUs(t *testing.T) {
	_, err := executor.New(lower(t, small(t)), packed(t), executor.Options{Bounds: bounds, CPUs: platform.CPUs{1023}})
	if !errors.Is(err, platform.ErrCPUs) {
		t.Errorf("CPU 1023: %v", err)
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	s := session(t, lower(t, small(t)), packed(t), executor.Options{Bounds: bounds, Threads: 3, Profile: true})
	m, u := method(t, s, "losses"), update(t, s)
	other := batch
	other.Width = 2
	values := inputs()
	n := testing.AllocsPerRun(50, func() {
		for _, e := range []op.Extents{batch, other} {
			if err := m.Resize(e); err != nil {
				t.Error(err)
			}
			feed(t, m, values)
			run(t, m)
			run(t, u)
		}
	})
	if n != 0 {
		t.Errorf("%g allocations a run", n)
	}
}

func TestNoExtent(t *testing.T) {
	s := session(t, lower(t, small(t)), packed(t), executor.Options{Bounds: bounds})
	m := method(t, s, "losses")
	if err := m.Resize(op.Extents{Width: 2}); err != nil {
		t.Fatal(err)
	}
	feed(t, m, map[string][]int32{"offsets": {0}, "row_offsets": {0}, "choice_offsets": {0}})
	run(t, m)
	if got := outputs(t, m, 2); !slices.Equal(got, []float32{0, 0, 0, 0}) {
		t.Errorf("losses of nothing are %v", got)
	}
	// A session made for nothing but updates, as replay makes it.
	r := session(t, lower(t, small(t)), packed(t), executor.Options{Bounds: op.Extents{Q: 2}})
	run(t, update(t, r))
}

type traceFile struct {
	TraceEvents []struct {
		Name, Cat, Ph string
		TS, Dur       float64
		Args          map[string]string
	}
}

func TestProfileAndTrace(t *testing.T) {
	s := session(t, lower(t, small(t)), plain(t), executor.Options{Bounds: bounds, Profile: true})
	m := method(t, s, "losses")
	if err := m.Resize(batch); err != nil {
		t.Fatal(err)
	}
	feed(t, m, inputs())
	const runs = 5
	start := time.Now()
	for range runs {
		run(t, m)
	}
	wall := time.Since(start)

	var total time.Duration
	nodes := m.NodeNames()
	for i, stats := range m.Stats() {
		total += stats.Total
		if stats.Runs != runs || stats.Total < 0 || stats.OpName()+" "+stats.Node != nodes[i] || stats.Kernel != m.Kernels()[i] {
			t.Errorf("node %d %s: %+v", i, nodes[i], stats)
		}
	}
	if total <= 0 || total > wall {
		t.Errorf("nodes took %v of %v", total, wall)
	}

	var text bytes.Buffer
	if err := s.WriteTrace(&text); err != nil {
		t.Fatal(err)
	}
	var trace traceFile
	if err := json.Unmarshal(text.Bytes(), &trace); err != nil {
		t.Fatalf("the trace is no JSON: %v\n%s", err, text.String())
	}
	if len(trace.TraceEvents) != runs*len(nodes) {
		t.Fatalf("%d events, want %d", len(trace.TraceEvents), runs*len(nodes))
	}
	end, sum := 0.0, 0.0
	for i, e := range trace.TraceEvents {
		if e.Name != nodes[i%len(nodes)] || e.Ph != "X" || e.Dur < 0 || e.TS < end-0.002 || e.Args["kernel"] == "" || !strings.HasPrefix(e.Name, e.Cat) {
			t.Errorf("event %d: %+v, after %g", i, e, end)
		}
		end, sum = e.TS+e.Dur, sum+e.Dur
	}
	if off := sum - float64(total.Nanoseconds())/1e3; off > 1 || off < -1 {
		t.Errorf("events take %g µs, the nodes' sum is %v", sum, total)
	}
}

// A session that times phases tells for every node what its workers spent on it,
// also one whose workers have threads of their own.
func TestTimePhases(t *testing.T) {
	one := platform.CPUs{0}
	if one.Check() != nil {
		one = nil // not to be had here
	}
	for _, o := range []executor.Options{{Threads: 2}, {CPUs: one, Threads: 2}} {
		o.Bounds, o.Profile = bounds, true
		s := session(t, lower(t, small(t)), plain(t), o)
		s.TimePhases()
		m := method(t, s, "losses")
		if err := m.Resize(batch); err != nil {
			t.Fatal(err)
		}
		feed(t, m, inputs())
		run(t, m)
		for _, stats := range m.Stats() {
			if stats.Work[0] <= 0 || stats.Delegated {
				t.Errorf("%s: %+v", stats.Node, stats)
			}
		}
	}
}

func TestTraceWithoutProfile(t *testing.T) {
	s := session(t, lower(t, small(t)), plain(t), executor.Options{Bounds: bounds})
	run(t, update(t, s))
	var text bytes.Buffer
	if err := s.WriteTrace(&text); err != nil {
		t.Fatal(err)
	}
	var trace traceFile
	if err := json.Unmarshal(text.Bytes(), &trace); err != nil || trace.TraceEvents == nil || len(trace.TraceEvents) != 0 {
		t.Errorf("an empty trace: %v, %s", err, text.String())
	}
	if stats := method(t, s, "update").Stats(); stats[0].Runs != 0 || stats[0].Node != "B" {
		t.Errorf("statistics without a profile: %+v", stats[0])
	}
	if err := s.WriteTrace(fullDisk{}); err == nil {
		t.Error("a failed write is not reported")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// The ring keeps the latest events, in order, however many there were.
func TestTraceKeepsTheLatest(t *testing.T) {
	s := session(t, lower(t, small(t)), plain(t), executor.Options{Bounds: op.Extents{Q: 2}, Profile: true, Threads: 1})
	u := update(t, s)
	const most = 1 << 16
	for range most/2 + 100 { // two nodes each
		run(t, u)
	}
	var text bytes.Buffer
	if err := s.WriteTrace(&text); err != nil {
		t.Fatal(err)
	}
	var trace traceFile
	if err := json.Unmarshal(text.Bytes(), &trace); err != nil {
		t.Fatal(err)
	}
	if len(trace.TraceEvents) != most {
		t.Errorf("%d events are kept, want %d", len(trace.TraceEvents), most)
	}
	last := -1.0
	for i, e := range trace.TraceEvents {
		if e.TS < last {
			t.Fatalf("event %d at %g comes after %g", i, e.TS, last)
		}
		last = e.TS
	}
}

func TestPlanIsSound(t *testing.T) {
	s := session(t, lower(t, small(t)), packed(t), executor.Options{Bounds: bounds})
	most := 0
	for _, name := range []string{"losses", "update"} {
		p := method(t, s, name).Plan()
		if err := p.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.LowerBound > p.Bytes {
			t.Errorf("%s: %d bytes, but %d are live at once", name, p.Bytes, p.LowerBound)
		}
		most = max(most, p.Bytes)
	}
	if s.ArenaBytes() != most {
		t.Errorf("arena of %d bytes, the largest method needs %d", s.ArenaBytes(), most)
	}
}
