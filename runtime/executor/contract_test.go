package executor_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"zeroth/graph"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// slots copies every slot of a session.
func slots(t testing.TB, s *executor.Session) [][]float32 {
	t.Helper()
	var all [][]float32
	for i := range s.Program().Slots {
		all = append(all, slices.Clone(slot(t, s, i)))
	}
	return all
}

// An index that would lead a kernel out of its buffers is refused before
// anything runs, by the name of the input and the element.
func TestIndexContracts(t *testing.T) {
	p := lower(t, small(t))
	for name, registry := range map[string]*kernel.Registry{"ref": plain(t), "cpu": packed(t)} {
		s := session(t, p, registry, executor.Options{Bounds: bounds, Threads: 2})
		m := method(t, s, "losses")
		if err := m.Resize(batch); err != nil {
			t.Fatal(err)
		}
		feed(t, m, inputs())
		run(t, m)
		want, before := outputs(t, m, batch.Width), slots(t, s)
		for _, c := range []struct {
			input  string
			at     int
			value  int32
			reason string
		}{
			{"tokens", 2, vocab, "element 2 is 7, must be 0 to 6"},
			{"tokens", 0, -1, "element 0 is -1"},
			{"tokens", 5, math.MaxInt32, "element 5"},
			{"positions", 3, positions, "element 3 is 5, must be 0 to 4"},
			{"positions", 0, math.MinInt32, "element 0"},
			{"offsets", 0, 1, "must begin at 0 and end at 6"},
			{"offsets", 3, 5, "must begin at 0 and end at 6"},
			{"offsets", 3, 7, "must begin at 0 and end at 6"},
			{"offsets", 1, 5, "offset 2 is 4, below the one before it (5)"},
			{"offsets", 1, -3, "offset 1 is -3"},
			{"rows", 0, 6, "element 0 is 6, must be 0 to 5"},
			{"rows", 3, -1, "element 3 is -1"},
			{"labels", 1, vocab, "element 1 is 7"},
			{"labels", 1, -1, "element 1 is -1"},
			{"row_offsets", 3, 5, "end at 4"},
			{"row_offsets", 1, 9, "offset 2"},
			{"choice_offsets", 2, 2, "end at 3"},
			{"choice_offsets", 1, -1, "offset 1"},
			{"gold", 0, 2, "element 0 is 2, must be 0 to 1"},
			{"gold", 1, 1, "element 1 is 1, must be 0 to 0"},
			{"gold", 1, -1, "element 1 is -1"},
		} {
			values := inputs()
			values[c.input][c.at] = c.value
			feed(t, m, values)
			err := m.Run(context.Background())
			if !errors.Is(err, executor.ErrInput) || !errors.Is(err, op.ErrInvalid) ||
				!strings.Contains(err.Error(), "input "+c.input+":") || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%s: %s[%d] = %d: %v; want it to say %q", name, c.input, c.at, c.value, err, c.reason)
			}
		}
		if got := outputs(t, m, batch.Width); !slices.Equal(got, want) {
			t.Errorf("%s: refused runs changed the outputs", name)
		}
		feed(t, m, inputs())
		run(t, m)
		if got := outputs(t, m, batch.Width); !slices.Equal(got, want) {
			t.Errorf("%s: a sound run after refused ones gives %v, want %v", name, got, want)
		}
		for i, slot := range slots(t, s) {
			if !slices.Equal(slot, before[i]) {
				t.Errorf("%s: slot %d changed", name, i)
			}
		}
	}
}

// An index input that also counts the extents is held to the extents of the
// run, not of the session.
func TestContractsFollowTheExtents(t *testing.T) {
	s := session(t, lower(t, small(t)), plain(t), executor.Options{Bounds: bounds})
	m := method(t, s, "losses")
	shorter := batch
	shorter.N = 5
	if err := m.Resize(shorter); err != nil {
		t.Fatal(err)
	}
	feed(t, m, inputs()) // offsets end at 6, row 5 is read
	if err := m.Run(context.Background()); !errors.Is(err, executor.ErrInput) {
		t.Errorf("offsets past the tokens of the run: %v", err)
	}
	values := inputs()
	values["offsets"][3] = 5
	feed(t, m, values)
	if err := m.Run(context.Background()); !errors.Is(err, executor.ErrInput) || !strings.Contains(err.Error(), "input rows") {
		t.Errorf("rows past the tokens of the run: %v", err)
	}
}

func TestResizeRefusesMoreThanTheBounds(t *testing.T) {
	s := session(t, lower(t, small(t)), plain(t), executor.Options{Bounds: bounds})
	m := method(t, s, "losses")
	if err := m.Resize(batch); err != nil {
		t.Fatal(err)
	}
	feed(t, m, inputs())
	run(t, m)
	want := outputs(t, m, batch.Width)
	for name, change := range map[string]func(*op.Extents){
		"width P is 7":      func(e *op.Extents) { e.Width = 7 },
		"tokens N is 10":    func(e *op.Extents) { e.N = 10 },
		"tokens N is -1":    func(e *op.Extents) { e.N = -1 },
		"sequences S is 5":  func(e *op.Extents) { e.S = 5 },
		"loss rows R is 8":  func(e *op.Extents) { e.R = 8 },
		"candidates K is 6": func(e *op.Extents) { e.K = 6 },
		"examples G is 4":   func(e *op.Extents) { e.G = 4 },
		"queries Q is 5":    func(e *op.Extents) { e.Q = 5 },
		"loss rows R is 92": func(e *op.Extents) { e.R = math.MaxInt },
	} {
		e := batch
		change(&e)
		err := m.Resize(e)
		if says, _, _ := strings.Cut(name, " is "); !errors.Is(err, executor.ErrInput) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	run(t, m) // the extents are those of before
	if got := outputs(t, m, batch.Width); !slices.Equal(got, want) {
		t.Errorf("after refused extents: %v, want %v", got, want)
	}
}

func TestSessionRefuses(t *testing.T) {
	p := lower(t, small(t))
	for name, e := range map[string]op.Extents{
		"too many tokens":   {Width: 2, N: op.MaxDim + 1, S: 1, R: 1, K: 1, G: 1, Q: 1},
		"negative examples": {Width: 2, N: 1, S: 1, R: 1, K: 1, G: -2, Q: 1},
		"bytes that wrap":   {Width: math.MaxInt / 2, N: op.MaxDim, S: 1, R: 1, K: 1, G: 1, Q: 1},
	} {
		if _, err := executor.New(p, plain(t), executor.Options{Bounds: e}); !errors.Is(err, executor.ErrBounds) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]executor.Options{
		"a limit":                    {Bounds: bounds, MaxBytes: 1000},
		"more than can be addressed": {Bounds: op.Extents{Width: 2, N: op.MaxDim, S: op.MaxDim, R: op.MaxDim, K: 1, G: 1, Q: 1}, Threads: 1, Methods: []string{"wide"}},
	} {
		if _, err := executor.New(withWideOutputs(t), plain(t), o); !errors.Is(err, executor.ErrMemory) || !strings.Contains(err.Error(), "B are needed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty, err := kernel.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := executor.New(p, empty, executor.Options{Bounds: bounds}); !errors.Is(err, kernel.ErrNoKernel) ||
		!strings.Contains(err.Error(), "method losses: node 0 Gather embedding") {
		t.Errorf("no kernels: %v", err)
	}
	if _, err := executor.New(p, plain(t), executor.Options{Bounds: bounds, Methods: []string{"update", "forward"}}); !errors.Is(err, executor.ErrNoMethod) {
		t.Errorf("unknown method: %v", err)
	}
	s := session(t, p, plain(t), executor.Options{Bounds: bounds, Methods: []string{"update"}})
	if _, err := s.Method("losses"); !errors.Is(err, executor.ErrNoMethod) {
		t.Errorf("a method that was not bound: %v", err)
	}
	m := method(t, s, "update")
	if _, err := m.Input("tokens"); !errors.Is(err, executor.ErrInput) || m.Has("tokens") || !m.Has("g") {
		t.Errorf("an input that is not there: %v", err)
	}
	if _, err := m.Output("B"); !errors.Is(err, executor.ErrInput) {
		t.Errorf("an output that is not there: %v", err)
	}
}

// withWideOutputs has a method whose outputs, each of 2⁵⁸ bytes at the largest
// extents, together wrap around an int.
func withWideOutputs(t *testing.T) *program.Program {
	t.Helper()
	g := graph.NewGraph("wide")
	x := g.Input("x", op.F32, op.S(op.Tokens, 0), op.S(op.Sequences, 0))
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		for _, of := range []string{"1", "2", "3", "4"} {
			g.Output(name+of, g.Apply(op.Add, name+of, nil, x, x))
		}
	}
	m := small(t)
	m.Methods = append(m.Methods, g)
	return lower(t, m)
}

// update prepares a run of "update" whose effect is not zero.
func update(t *testing.T, s *executor.Session) *executor.Method {
	t.Helper()
	m := method(t, s, "update")
	if err := m.Resize(op.Extents{Q: 2}); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string][]float32{"g": {1, -2}, "lr": {0.5}} {
		in, err := m.Input(name)
		if err != nil {
			t.Fatal(err)
		}
		copy(in.F32(), values)
	}
	return m
}

// late is a context that is cancelled once it has been asked n times.
type late struct {
	context.Context
	left int
}

func (c *late) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancelledContext(t *testing.T) {
	s := session(t, lower(t, small(t)), plain(t), executor.Options{Bounds: bounds})
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	m, u := method(t, s, "losses"), update(t, s)
	if err := m.Resize(batch); err != nil {
		t.Fatal(err)
	}
	feed(t, m, inputs())
	before := slots(t, s)
	for _, m := range []*executor.Method{m, u} {
		if err := m.Run(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled run: %v", err)
		}
	}
	for i, slot := range slots(t, s) {
		if !slices.Equal(slot, before[i]) {
			t.Errorf("a cancelled update changed slot %d", i)
		}
	}
	// In the midst of a forward pass: it ends. In the midst of an update: whole.
	if err := m.Run(&late{context.Background(), 5}); !errors.Is(err, context.Canceled) {
		t.Errorf("a forward pass cancelled at its fifth node: %v", err)
	}
	if err := u.Run(&late{context.Background(), 1}); err != nil {
		t.Errorf("an update that had begun: %v", err)
	}
	after := slots(t, s)
	if slices.Equal(after[1], before[1]) || slices.Equal(after[2], before[2]) || !slices.Equal(after[0], before[0]) {
		t.Error("an update that had begun was not carried out on both B and them alone")
	}
	feed(t, m, inputs())
	run(t, m) // the interrupted method still works
}

// All temporaries as outputs: nothing is overwritten in place and nothing
// shares the arena. The results are the same bits.
func TestSharingMemoryChangesNoResult(t *testing.T) {
	apart := small(t)
	g := apart.Method("losses")
	for _, n := range g.Nodes {
		if v := n.Out[0]; !slices.Contains(g.Outputs, v) {
			g.Output(n.Name, v)
		}
	}
	for name, registry := range map[string]*kernel.Registry{"ref": plain(t), "cpu": packed(t)} {
		var results [][]float32
		arenas := make([]int, 0, 2)
		for _, m := range []*graph.Module{small(t), apart} {
			s := session(t, lower(t, m), registry, executor.Options{Bounds: bounds, Threads: 2})
			arenas = append(arenas, s.ArenaBytes())
			bound := method(t, s, "losses")
			var values []float32
			for _, e := range []op.Extents{bounds, batch, {Width: 1, N: 6, S: 3, R: 4, K: 3, G: 2}, batch} {
				if err := bound.Resize(e); err != nil {
					t.Fatal(err)
				}
				if e == bounds {
					continue // only to leave larger shapes behind
				}
				feed(t, bound, inputs())
				run(t, bound)
				values = append(values, outputs(t, bound, e.Width)...)
			}
			results = append(results, values)
		}
		if !slices.Equal(results[0], results[1]) {
			t.Errorf("%s: %v, without sharing memory %v", name, results[0], results[1])
		}
		if name == "ref" && (arenas[0] == 0 || arenas[1] != 0) {
			t.Errorf("arenas of %d and %d bytes: nothing was shared, or still is", arenas[0], arenas[1])
		}
	}
}
