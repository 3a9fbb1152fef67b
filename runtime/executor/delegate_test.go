package executor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/kernels/ref"
	"zeroth/runtime/backend"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"
)

// island is a delegate that computes with the plain kernels on memory of its own:
// nothing reaches it or leaves it but by the calls of the contract.
type island struct {
	takes   func(n *backend.Node) bool // nil: all
	decline string                     // a method whose partitions it declines
	broken  string                     // a node at which a run fails
	holds   backend.Memory             // what a session tells of a partition
	room    int64                      // for the sum of them; 0: any

	sessions []*islandSession
}

func (d *island) Name() string { return "island" }

func (d *island) Supports(n *backend.Node, _ []backend.Value) error {
	if d.takes != nil && !d.takes(n) {
		return fmt.Errorf("no %s here", n.Spec.Name)
	}
	return nil
}

func (d *island) Open(info backend.SessionInfo) (backend.Session, error) {
	s := &islandSession{island: d, pool: platform.NewPool(1)}
	for _, slot := range info.Slots {
		size, err := slot.Type.Bytes(op.Extents{Width: 1})
		if err != nil {
			return nil, err
		}
		s.slots = append(s.slots, platform.Aligned(size))
	}
	d.sessions = append(d.sessions, s)
	return s, nil
}

type islandSession struct {
	island   *island
	pool     *platform.Pool
	slots    [][]byte
	up, down int64
	fetches  int
	compiled int
	open     int      // partitions
	firsts   []string // first node of each partition
	closed   bool
}

func (s *islandSession) Measure(partitions []*backend.Partition) (backend.Memory, error) {
	m := s.island.holds
	m.Constants *= int64(len(partitions))
	if s.island.room > 0 && m.Total() > s.island.room {
		return m, fmt.Errorf("%w: the island is too small", backend.ErrDeclined)
	}
	return m, nil
}

func (s *islandSession) Held() backend.Memory {
	m := s.island.holds
	m.Constants *= int64(s.open)
	return m
}

func (s *islandSession) WriteSlot(i int, data []byte) error {
	s.up += int64(copy(s.slots[i], data))
	return nil
}

func (s *islandSession) ReadSlot(i int, data []byte) error {
	s.down += int64(copy(data, s.slots[i]))
	return nil
}

func (s *islandSession) Moved() (up, down int64) { return s.up, s.down }

func (s *islandSession) Close() {
	s.closed = true
	s.pool.Close()
}

type islandPart struct {
	session   *islandSession
	partition *backend.Partition
	own       []*kernel.Tensor // by value
	runners   []kernel.Runner
}

func (s *islandSession) Compile(ctx context.Context, p *backend.Partition) (backend.Executable, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.Method == s.island.decline || p.Nodes[0].Name == s.island.decline {
		return nil, fmt.Errorf("%w: the island is full", backend.ErrDeclined)
	}
	s.compiled, s.open = s.compiled+1, s.open+1
	s.firsts = append(s.firsts, p.Nodes[0].Name)
	e := &islandPart{session: s, partition: p}
	for _, v := range p.Values {
		own := &kernel.Tensor{Type: v.Tensor.Type, Shape: slices.Clone(v.Tensor.Shape), Width: v.Tensor.Width}
		switch v.Kind {
		case program.ConstRef:
			own.Data = slices.Clone(v.Tensor.Data)
		case program.SlotRef:
			own.Data = s.slots[v.Ref]
		default:
			own.Data = platform.Aligned(bytesNow(own))
		}
		e.own = append(e.own, own)
	}
	registry, err := kernel.NewRegistry(ref.Kernels())
	if err != nil {
		return nil, err
	}
	for _, n := range p.Nodes {
		call := &kernel.Call{Spec: n.Spec, Attrs: n.Attrs, Pool: s.pool}
		var types []op.Type
		for _, v := range n.In {
			call.In, types = append(call.In, e.own[v]), append(types, e.own[v].Type)
		}
		for _, v := range n.Out {
			call.Out = append(call.Out, e.own[v])
		}
		k, err := registry.Pick(n.Spec.ID, types, n.Attrs)
		if err != nil {
			return nil, err
		}
		if k.Scratch != nil {
			call.Scratch = platform.Aligned(k.Scratch(call))
		}
		runner, err := k.Bind(call)
		if err != nil {
			return nil, err
		}
		e.runners = append(e.runners, runner)
	}
	return e, nil
}

var errStorm = errors.New("a storm")

func (e *islandPart) Run(ctx context.Context) error {
	for i, v := range e.partition.Values {
		e.own[i].Width = v.Tensor.Width
		copy(e.own[i].Shape, v.Tensor.Shape)
	}
	for _, i := range e.partition.Inputs {
		size := bytesNow(e.own[i])
		e.session.up += int64(copy(e.own[i].Data[:size], e.partition.Values[i].Tensor.Data))
	}
	for i, r := range e.runners {
		if e.partition.Nodes[i].Name == e.session.island.broken {
			return errStorm
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.Run(); err != nil {
			return err
		}
	}
	return nil
}

func (e *islandPart) Close() { e.session.open-- }

func (e *islandPart) Fetch(output int) error {
	e.session.fetches++
	i := e.partition.Outputs[output]
	size := bytesNow(e.own[i])
	e.session.down += int64(copy(e.partition.Values[i].Tensor.Data, e.own[i].Data[:size]))
	return nil
}

// bytesNow is what a tensor takes at the extents of the moment.
func bytesNow(t *kernel.Tensor) int {
	if t.Type.Layout == op.Panels16 {
		return int(t.Type.Panels().Bytes)
	}
	return 4 * t.Width * t.Elements()
}

// trajectory runs losses, update, losses again, and gives all outputs and slots.
func trajectory(t *testing.T, s *executor.Session) []float32 {
	t.Helper()
	m := method(t, s, "losses")
	if err := m.Resize(batch); err != nil {
		t.Fatal(err)
	}
	feed(t, m, inputs())
	run(t, m)
	all := outputs(t, m, batch.Width)
	run(t, update(t, s))
	run(t, m)
	all = append(all, outputs(t, m, batch.Width)...)
	for i := range s.Program().Slots {
		all = append(all, slot(t, s, i)...)
	}
	return all
}

// Whatever the delegate takes, a method computes the same bits: values and slots
// go to and fro where they are needed.
func TestPartitionsChangeNoBit(t *testing.T) {
	p := lower(t, small(t))
	want := trajectory(t, session(t, p, plain(t), executor.Options{Bounds: bounds}))
	only := func(names ...string) func(n *backend.Node) bool {
		return func(n *backend.Node) bool { return slices.Contains(names, n.Name) }
	}
	cases := map[string]*island{
		"all": {}, "losses declined": {decline: "losses"}, "update declined": {decline: "update"},
		"none":            {takes: only()},
		"every other":     {takes: func(n *backend.Node) bool { return len(n.Name)%2 == 0 }},
		"one slot's half": {takes: only("B2", "q")},
		"ends":            {takes: only("embedding", "sum", "choice")},
	}
	for i := range p.Methods[0].Nodes {
		name := p.Methods[0].Nodes[i].Name
		cases["only "+name] = &island{takes: only(name)}
		cases["all but "+name] = &island{takes: func(n *backend.Node) bool { return n.Name != name }}
	}
	for name, d := range cases {
		for _, keep := range []bool{false, true} {
			s := session(t, p, plain(t), executor.Options{Bounds: bounds, Delegate: d, KeepValues: keep})
			if got := trajectory(t, s); !slices.Equal(got, want) {
				t.Errorf("%s, keep %t: %v, want %v", name, keep, got, want)
			}
			if len(s.Notices()) != len(p.Methods) {
				t.Errorf("%s: notices %q", name, s.Notices())
			}
		}
	}
}

// Only what is read crosses, once a run.
func TestPartitionMovesOnlyWhatIsRead(t *testing.T) {
	d := &island{}
	s := session(t, lower(t, small(t)), plain(t), executor.Options{Bounds: bounds, Delegate: d})
	m, u := method(t, s, "losses"), update(t, s)
	if err := m.Resize(batch); err != nil {
		t.Fatal(err)
	}
	feed(t, m, inputs())
	run(t, m)
	outputs(t, m, batch.Width)
	up, down := s.Moved()
	run(t, m)
	run(t, u)
	run(t, m)
	if _, after := s.Moved(); after != down {
		t.Errorf("runs whose outputs nobody reads bring %d bytes", after-down)
	}
	if _, err := m.Output("losses"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Output("losses"); err != nil {
		t.Fatal(err)
	}
	island := d.sessions[0]
	if _, after := s.Moved(); after-down != int64(4*batch.Width) || island.fetches != 3 {
		t.Errorf("reading an output twice brings %d bytes in %d fetches", after-down, island.fetches-2)
	}
	inputBytes := func(method string, e op.Extents) (bytes int64) {
		def := s.Program().Method(method)
		for v := range def.Values {
			if def.Values[v].Kind != program.Input || !slices.ContainsFunc(def.Nodes, func(n program.Node) bool { return slices.Contains(n.In, v) }) {
				continue
			}
			n, err := def.Values[v].Type.Bytes(e)
			if err != nil {
				t.Fatal(err)
			}
			bytes += int64(n)
		}
		return bytes
	}
	updateBytes := inputBytes("update", op.Extents{Width: 1, Q: 2})
	// B2 goes over when update first wants it.
	want := 2*inputBytes("losses", batch) + updateBytes + int64(s.SlotBytes(2))
	if after, _ := s.Moved(); after-up != want {
		t.Errorf("three runs send %d bytes, want the inputs and a slot, %d", after-up, want)
	}
	// A slot that is read comes once, and goes back only where it was to be written.
	before, _ := s.Moved()
	slot(t, s, 1)
	run(t, u)
	if after, _ := s.Moved(); after-before != updateBytes {
		t.Errorf("a slot that was only read is sent back: %d bytes", after-before)
	}
}

// Slots written by the host are those that the delegate's next run reads, and
// what it writes is what the host reads.
func TestSlotsFollowTheNewest(t *testing.T) {
	p := lower(t, small(t))
	host := session(t, p, plain(t), executor.Options{Bounds: bounds})
	far := session(t, p, plain(t), executor.Options{Bounds: bounds, Delegate: &island{}})
	for round := range 3 {
		var got [2][]float32
		for i, s := range []*executor.Session{host, far} {
			b, err := s.WriteSlot(1)
			if err != nil {
				t.Fatal(err)
			}
			for e := range b {
				b[e] += float32(round + e)
			}
			got[i] = trajectory(t, s)
		}
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("round %d: %v, want %v", round, got[1], got[0])
		}
	}
}

// A method kept on the host moves slots there: they go over once.
func TestMethodKeptOnTheHost(t *testing.T) {
	p := lower(t, small(t))
	want := trajectory(t, session(t, p, plain(t), executor.Options{Bounds: bounds}))
	d := &island{}
	s := session(t, p, plain(t), executor.Options{Bounds: bounds, Delegate: d, OnHost: []string{"update"}})
	if got := trajectory(t, s); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	_, before := s.Moved()
	run(t, update(t, s))
	run(t, method(t, s, "losses"))
	if _, after := s.Moved(); after != before || d.sessions[0].compiled != 1 {
		t.Errorf("%d bytes come back, %d partitions", after-before, d.sessions[0].compiled)
	}
}

func TestDelegateFails(t *testing.T) {
	d := &island{broken: "swiglu"}
	s := session(t, lower(t, small(t)), plain(t), executor.Options{Bounds: bounds, Delegate: d})
	m := method(t, s, "losses")
	if err := m.Resize(batch); err != nil {
		t.Fatal(err)
	}
	feed(t, m, inputs())
	err := m.Run(context.Background())
	if !errors.Is(err, errStorm) || !strings.Contains(err.Error(), "island") || !strings.Contains(err.Error(), "losses") {
		t.Errorf("%v", err)
	}
	d.broken = ""
	run(t, m)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	s.Close()
	if !d.sessions[0].closed {
		t.Error("the delegate's session is still open")
	}
}

// A refusal that is no decline fails the session, and closes the delegate's. What
// the delegate holds counts where it is the host's memory.
func TestDelegateWithoutMemory(t *testing.T) {
	for name, c := range map[string]struct {
		holds   backend.Memory
		allowed int64
		refused bool
	}{
		"the host's share":      {backend.Memory{}, 100, true},
		"the delegate's":        {backend.Memory{Constants: 1 << 20, Shared: true}, 2 << 20, true},
		"enough for both":       {backend.Memory{Constants: 1 << 20, Shared: true}, 3 << 20, false},
		"memory of a card":      {backend.Memory{Constants: 1 << 30}, 2 << 20, false},
		"more than is promised": {backend.Memory{Constants: 1 << 60, Shared: true}, 1 << 62, true},
	} {
		d := &island{holds: c.holds}
		s, err := executor.New(lower(t, small(t)), plain(t), executor.Options{Bounds: bounds, Delegate: d, MaxBytes: c.allowed})
		if !c.refused {
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if held, ok := s.Delegated(); !ok || held.Constants != 2*c.holds.Constants {
				t.Errorf("%s: %+v, %t", name, held, ok)
			}
			s.Close()
			continue
		}
		var short *executor.MemoryError
		if !errors.As(err, &short) || !d.sessions[0].closed || d.sessions[0].compiled > 0 {
			t.Errorf("%s: %v, closed %t, %d partitions compiled", name, err, d.sessions[0].closed, d.sessions[0].compiled)
		} else if c.holds.Shared && (short.Delegated < float64(c.holds.Constants) || !strings.Contains(err.Error(), "of them by island,")) {
			t.Errorf("%s: %+v: %v", name, short, err)
		}
	}
}

// A method for which the delegate has no memory runs on the host, and one of which
// it declines a partition leaves none behind.
func TestDeclinedMethods(t *testing.T) {
	p := lower(t, small(t))
	want := trajectory(t, session(t, p, plain(t), executor.Options{Bounds: bounds}))
	for name, c := range map[string]struct {
		island         *island
		compiled, open int
	}{
		"measured": {&island{holds: backend.Memory{Constants: 10}, room: 15}, 1, 1},
		"declined": {&island{takes: func(n *backend.Node) bool { return n.Name != "q" }, decline: "swiglu"}, 0, 0},
	} {
		if name == "declined" { // at the first node of the second partition
			probe := &island{takes: c.island.takes}
			s := session(t, p, plain(t), executor.Options{Bounds: bounds, Delegate: probe})
			c.island.decline = probe.sessions[0].firsts[1]
			c.compiled, c.open = probe.sessions[0].compiled-1, probe.sessions[0].compiled-2
			s.Close()
		}
		s := session(t, p, plain(t), executor.Options{Bounds: bounds, Delegate: c.island})
		if got := trajectory(t, s); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if d := c.island.sessions[0]; d.compiled != c.compiled || d.open != c.open {
			t.Errorf("%s: %d partitions compiled, %d open, want %d and %d; %q", name, d.compiled, d.open, c.compiled, c.open, s.Notices())
		}
	}
}

// A context that is cancelled ends the making of a session.
func TestCancelledSession(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := &island{}
	_, err := executor.NewContext(ctx, lower(t, small(t)), plain(t), executor.Options{Bounds: bounds, Delegate: d})
	if !errors.Is(err, context.Canceled) || !d.sessions[0].closed {
		t.Errorf("%v, closed %t", err, d.sessions[0].closed)
	}
}

// All values of a method can be read where they are kept, wherever they were made.
func TestKeptValues(t *testing.T) {
	p := lower(t, small(t))
	var want [][]float32
	for _, d := range []backend.Delegate{nil, &island{}, &island{takes: func(n *backend.Node) bool { return len(n.Name)%2 == 1 }}} {
		s := session(t, p, plain(t), executor.Options{Bounds: bounds, Delegate: d, KeepValues: true})
		m := method(t, s, "losses")
		if err := m.Resize(batch); err != nil {
			t.Fatal(err)
		}
		feed(t, m, inputs())
		run(t, m)
		values := m.Values()
		if len(values) != len(m.Def().Nodes) {
			t.Fatalf("%d values of %d nodes", len(values), len(m.Def().Nodes))
		}
		var got [][]float32
		for _, v := range values {
			tensor, err := m.Value(v.Value)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, slices.Clone(tensor.F32()[:tensor.Width*tensor.Elements()]))
		}
		if want == nil {
			want = got
		}
		for i := range got {
			if !slices.Equal(got[i], want[i]) {
				t.Errorf("%s: %v, want %v", values[i].Name, got[i], want[i])
			}
		}
	}
	s := session(t, p, plain(t), executor.Options{Bounds: bounds})
	for v, def := range p.Methods[0].Values {
		if def.Kind == program.Temp && !slices.Contains(p.Methods[0].Outputs, v) {
			if _, err := method(t, s, "losses").Value(v); !errors.Is(err, executor.ErrInput) {
				t.Errorf("%s, which is not kept: %v", def.Name, err)
			}
		}
	}
}

// Kernels made of a delegate pass the suite: every op through the contract.
func TestKernelsOfDelegate(t *testing.T) {
	registry, err := kernel.NewRegistry(backend.Kernels(&island{}, "island", 1))
	if err != nil {
		t.Fatal(err)
	}
	parts := 1
	if testing.Short() {
		parts = 40
	}
	report, err := conformance.Run(context.Background(), registry, conformance.Options{Parts: parts, Workers: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Failed() {
		t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
	}
	if len(report.Results) == 0 {
		t.Error("no cases")
	}
}
