package gpu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// testDevice has memory and keeps accounts, but computes nothing.
type testDevice struct {
	room     int64 // bytes that are left
	live     map[*memoryBuffer]bool
	recorded [][]Stage
	compiled []string
	runs     int

	compiling func() // called for each kernel
	memory    int64  // Limits.MemoryBytes
}

type memoryBuffer struct {
	device *testDevice
	bytes  []byte
}

func (b *memoryBuffer) Size() int64 { return int64(len(b.bytes)) }

func (b *memoryBuffer) Free() {
	if b.device.live[b] {
		b.device.room += b.Size()
		delete(b.device.live, b)
	}
}

func newTestDevice(room int64) *testDevice {
	return &testDevice{room: room, live: make(map[*memoryBuffer]bool)}
}

func (d *testDevice) Limits() Limits {
	return Limits{BufferBytes: 1 << 20, PartBytes: 1 << 12, AllocationBytes: 1 << 20, WorkGroups: 65535, MemoryBytes: d.memory, Shared: true}
}

func (d *testDevice) Allocate(bytes int64, _ Use) (Buffer, error) {
	if bytes > d.room {
		return nil, fmt.Errorf("%w: %d bytes of %d", ErrMemory, bytes, d.room)
	}
	b := &memoryBuffer{d, make([]byte, bytes)}
	d.room -= bytes
	d.live[b] = true
	return b, nil
}

func (d *testDevice) Upload(to Span, data []byte) error {
	copy(to.Buffer.(*memoryBuffer).bytes[to.Offset:to.Offset+to.Size], data)
	return nil
}

func (d *testDevice) Download(data []byte, from Span) error {
	copy(data, from.Buffer.(*memoryBuffer).bytes[from.Offset:from.Offset+from.Size])
	return nil
}

func (d *testDevice) Compile(ctx context.Context, k Kernel, constants []uint32) error {
	d.compiled = append(d.compiled, fmt.Sprint(k.Name, constants))
	if d.compiling != nil {
		d.compiling()
	}
	return ctx.Err()
}

func (d *testDevice) Record(stages []Stage) (Recording, error) {
	d.recorded = append(d.recorded, stages)
	return &testRecording{d}, nil
}

type testRecording struct{ device *testDevice }

func (r *testRecording) Run(context.Context) error {
	r.device.runs++
	return nil
}
func (r *testRecording) Written() int64 { return 7 }
func (r *testRecording) Held() int64    { return 100 }
func (r *testRecording) Free()          {}

// chain is a partition of n additions of an input [rows, 16] to what was made
// before, then a product with a constant [M, 16].
func chain(n, rows, m int) *backend.Partition {
	add, _ := op.Lookup(op.Add)
	linear, _ := op.Lookup(op.Linear)
	value := func(name string, kind program.ValueKind, ref int, shape ...int) backend.Value {
		t := &kernel.Tensor{Type: op.Type{DType: op.F32}, Width: 1, Shape: shape}
		size := 4
		for i, extent := range shape {
			size *= extent
			dim := op.C(extent)
			if i == 0 && kind != program.ConstRef {
				dim = op.S(op.Tokens, 0)
			}
			t.Type.Shape = append(t.Type.Shape, dim)
		}
		t.Data = make([]byte, size)
		return backend.Value{Name: name, Kind: kind, Ref: ref, Tensor: t}
	}
	p := &backend.Partition{Method: "chain", Inputs: []int{0}}
	p.Values = append(p.Values, value("x", program.Input, 0, rows, 16))
	for i := range n {
		p.Nodes = append(p.Nodes, backend.Node{Name: fmt.Sprint("add ", i), Spec: add, In: []int{i, 0}, Out: []int{i + 1}})
		p.Values = append(p.Values, value(fmt.Sprint("sum ", i), program.Temp, 0, rows, 16))
	}
	p.Values = append(p.Values, value("w", program.ConstRef, 3, m, 16), value("y", program.Temp, 0, rows, m))
	p.Nodes = append(p.Nodes, backend.Node{Name: "product", Spec: linear, In: []int{n, n + 1}, Out: []int{n + 2}})
	p.Outputs = []int{n + 2}
	return p
}

func openTest(t *testing.T, d Device) *session {
	t.Helper()
	ops, err := New("test", d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ops.Delegate("test:0").Open(backend.SessionInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*session)
}

// Temporaries share the arena, which grows with the partitions; those that were
// recorded with a smaller one are recorded anew.
func TestArena(t *testing.T) {
	d := newTestDevice(1 << 24)
	s := openTest(t, d)
	small, err := s.Compile(t.Context(), chain(4, 8, 64))
	if err != nil {
		t.Fatal(err)
	}
	// x + x does not overwrite an input; each sum after that takes the place of
	// the one before.
	if got := s.arena.Size(); got != 8*16*4 {
		t.Errorf("an arena of %d bytes", got)
	}
	stages := d.recorded[0]
	for i := range 3 {
		if stages[i].Spans[2] != stages[0].Spans[2] {
			t.Errorf("stage %d writes %+v", i, stages[i].Spans[2])
		}
	}
	if _, err := s.Compile(t.Context(), chain(1, 64, 64)); err != nil {
		t.Fatal(err)
	}
	recorded, live := len(d.recorded), len(d.live)
	for range 2 {
		if err := small.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.recorded) != recorded+1 || len(d.live) != live || d.runs != 2 {
		t.Errorf("%d recordings, %d buffers, %d runs; there were %d and %d", len(d.recorded), len(d.live), d.runs, recorded, live)
	}
	for _, stage := range d.recorded[recorded] {
		for _, span := range stage.Spans {
			if !d.live[span.Buffer.(*memoryBuffer)] {
				t.Errorf("%s uses a buffer that is freed", stage.Kernel.Name)
			}
		}
	}
	if len(s.constants) != 1 {
		t.Errorf("%d constants, both partitions have the same", len(s.constants))
	}
	// The constant, two inputs, and the parameters of two recordings and of one
	// that was replaced.
	if up, down := s.Moved(); up != 64*16*4+2*8*16*4+3*7 || down != 0 {
		t.Errorf("moved %d and %d bytes", up, down)
	}
	if err := small.Fetch(0); err != nil {
		t.Fatal(err)
	}
	if _, down := s.Moved(); down != 8*64*4 {
		t.Errorf("%d bytes came back", down)
	}
	y := small.(*executable).values[6].tensor
	y.Shape[0] = 5 // of the runs to come
	if err := small.Fetch(0); err != nil {
		t.Fatal(err)
	}
	if _, down := s.Moved(); down != 2*8*64*4 {
		t.Errorf("%d bytes came back, what was made is 8 rows", down)
	}
	s.Close()
	if len(d.live) != 1 { // the quantile table is the device's
		t.Errorf("%d buffers are left", len(d.live))
	}
}

// A partition that is recorded anew in the middle of small runs keeps the tiles and
// the working memory that larger runs need; so does one whose arena was lost.
func TestRecordedAnew(t *testing.T) {
	d := newTestDevice(1 << 24)
	s := openTest(t, d)
	p := chain(4, 64, 64)
	small, err := s.Compile(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	constants := func(stages []Stage) string { return fmt.Sprint(stages[len(stages)-1].Constants) }
	want := constants(d.recorded[0])
	if _, err := s.Compile(t.Context(), chain(2, 128, 64)); err != nil {
		t.Fatal(err)
	}
	for i := range p.Values {
		if p.Values[i].Kind != program.ConstRef {
			p.Values[i].Tensor.Shape[0] = 1
		}
	}
	recorded := len(d.recorded)
	if err := small.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(d.recorded) != recorded+1 || constants(d.recorded[recorded]) != want {
		t.Errorf("%d recordings; constants %s, they were %s", len(d.recorded)-recorded, constants(d.recorded[recorded]), want)
	}
	s.arena.Free() // as where neither a larger arena nor the one that there was can be had
	s.arena, d.room = nil, 0
	if err := small.Run(t.Context()); !errors.Is(err, ErrMemory) {
		t.Errorf("without an arena: %v", err)
	}
	d.room = 1 << 20
	if err := small.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, stage := range d.recorded[len(d.recorded)-1] {
		for _, span := range stage.Spans {
			if !d.live[span.Buffer.(*memoryBuffer)] {
				t.Errorf("%s uses a buffer that is freed", stage.Kernel.Name)
			}
		}
	}
}

// Without enough memory a partition is declined, and what it took is given back.
func TestDeclines(t *testing.T) {
	for room := int64(4096); room < 1<<18; room += 4096 {
		d := newTestDevice(room)
		s := openTest(t, d)
		left := d.room
		_, err := s.Compile(t.Context(), chain(3, 64, 512))
		if err == nil {
			if room < 100<<10 {
				t.Errorf("there was room in %d bytes", room)
			}
			continue
		}
		if !errors.Is(err, backend.ErrDeclined) || !errors.Is(err, ErrMemory) {
			t.Fatal(err)
		}
		if room > 230<<10 {
			t.Errorf("%d bytes are too little: %v", room, err)
		}
		s.Close()
		if d.room != left {
			t.Errorf("%d bytes of %d are left", d.room, left)
		}
	}
	delegate := openTest(t, newTestDevice(1<<24)).ops.Delegate("test:0")
	p := chain(1, 1<<15, 16)
	if err := delegate.Supports(&p.Nodes[0], p.Values); !errors.Is(err, ErrTooLarge) {
		t.Errorf("2 MiB in a buffer of 1: %v", err)
	}
	p = chain(1, 8, 4096)
	if err := delegate.Supports(&p.Nodes[1], p.Values); err != nil {
		t.Errorf("a matrix in parts: %v", err)
	}
}

// What a session will hold is known before anything is taken, and is what it then
// holds, but for working memory of tiles and room left over.
func TestHeld(t *testing.T) {
	d := newTestDevice(1 << 24)
	s := openTest(t, d)
	list := []*backend.Partition{chain(4, 64, 512), chain(1, 8, 512)}
	room := d.room
	want, err := s.Measure(list)
	if err != nil || d.room != room {
		t.Fatalf("%v; %d bytes taken", err, room-d.room)
	}
	table := s.ops.table.Size
	weights, values := int64(512*16*4), int64(64*16*4+64*512*4+8*16*4+8*512*4)
	if exact := (backend.Memory{Constants: weights, Temporaries: 64 * 16 * 4, Values: values, Other: table + (4+8+1+8)*Alignment, Shared: true}); want != exact {
		t.Errorf("measured %+v, want %+v", want, exact)
	}
	var compiled []backend.Executable
	for _, p := range list {
		e, err := s.Compile(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		compiled = append(compiled, e)
	}
	held := s.Held()
	if held.Constants != want.Constants || held.Temporaries != want.Temporaries || held.Values != want.Values || held.Other < table+2*100 {
		t.Errorf("held %+v, measured %+v", held, want)
	}
	if taken := room - d.room; held.Total() != taken+table+2*100 {
		t.Errorf("%d bytes held, %d were taken", held.Total(), taken)
	}
	up, _ := s.Moved()
	for _, e := range compiled {
		e.Close()
		e.Close()
	}
	if now, _ := s.Moved(); now != up || d.room != room || s.Held().Total() != table {
		t.Errorf("closed partitions hold %d bytes; moved %d, before %d", room-d.room, now, up)
	}
	d.memory = want.Total() - 1
	if _, err := s.Measure(list); !errors.Is(err, backend.ErrDeclined) || !errors.Is(err, ErrMemory) {
		t.Errorf("a device that is too small: %v", err)
	}
	s.Close()
}

// A partition that is closed, or declined, gives back what no other uses.
func TestGivesBackUnused(t *testing.T) {
	d := newTestDevice(1 << 24)
	s := openTest(t, d)
	other := chain(1, 8, 64)
	other.Values[2].Ref = 7
	first, err := s.Compile(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	held := s.Held()
	second, err := s.Compile(t.Context(), chain(1, 8, 512))
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	if now := s.Held(); now != held {
		t.Errorf("%+v is held, it was %+v", now, held)
	}
	d.room = 64 << 10 // room for the weights alone
	if _, err := s.Compile(t.Context(), chain(1, 64, 512)); !errors.Is(err, backend.ErrDeclined) {
		t.Fatalf("compiled: %v", err)
	}
	if now := s.Held(); now != held || d.room != 64<<10 {
		t.Errorf("%+v is held, it was %+v; %d bytes left", now, held, d.room)
	}
	if err := first.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Each kernel is compiled once, told of, and not after the context is cancelled.
func TestCompiling(t *testing.T) {
	d := newTestDevice(1 << 24)
	s := openTest(t, d)
	var told []string
	s.info.Progress = func(what string, done, total int) { told = append(told, fmt.Sprint(what, done, total)) }
	if _, err := s.Compile(t.Context(), chain(3, 8, 64)); err != nil {
		t.Fatal(err)
	}
	if len(d.compiled) != 2 || !slices.Contains(told, "kernels compiled1 2") { // 3 additions and a product
		t.Errorf("compiled %q, told %q", d.compiled, told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	d.compiling = cancel
	room, recorded := d.room, len(d.recorded)
	if _, err := s.Compile(ctx, chain(3, 8, 512)); !errors.Is(err, context.Canceled) || errors.Is(err, backend.ErrDeclined) {
		t.Errorf("cancelled: %v", err)
	}
	if len(d.compiled) != 3 || len(d.recorded) != recorded || d.room != room {
		t.Errorf("%d kernels, %d recordings, %d bytes kept", len(d.compiled), len(d.recorded), room-d.room)
	}
}

// A compiler that cannot be stopped is left alone after a while.
func TestAwait(t *testing.T) {
	end := make(chan bool)
	defer close(end)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	start := time.Now()
	_, left, err := Await(ctx, func() (int, error) { <-end; return 1, nil })
	if took := time.Since(start); !left || !errors.Is(err, context.Canceled) || took < patience {
		t.Errorf("left %t, %v after %v", left, err, took)
	}
	interrupted, interrupt := context.WithCancel(t.Context())
	if _, left, err := Await(interrupted, func() (int, error) { interrupt(); return 0, errors.New("interrupted") }); left || !errors.Is(err, context.Canceled) {
		t.Errorf("a compiler that fails by Ctrl-C: left %t, %v", left, err)
	}
	for _, c := range []context.Context{context.Background(), t.Context()} {
		if v, left, err := Await(c, func() (int, error) { return 2, nil }); v != 2 || left || err != nil {
			t.Errorf("%d, left %t, %v", v, left, err)
		}
	}
	if _, left, err := Await(ctx, func() (int, error) { t.Error("called"); return 0, nil }); left || !errors.Is(err, context.Canceled) {
		t.Errorf("left %t, %v", left, err)
	}
}

// An output that lies over an input on the host does so on the device.
func TestOutputOverInput(t *testing.T) {
	for _, over := range []bool{false, true} {
		d := newTestDevice(1 << 24)
		s := openTest(t, d)
		p := chain(1, 8, 16)
		p.Nodes, p.Outputs = p.Nodes[:1], []int{1}
		if x, y := p.Values[0].Tensor, p.Values[1].Tensor; over {
			y.Data = x.Data
		}
		e, err := s.Compile(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		stage := d.recorded[0][0]
		if (stage.Spans[0] == stage.Spans[2]) != over {
			t.Errorf("over %t: %+v and %+v", over, stage.Spans[0], stage.Spans[2])
		}
		p.Values[0].Tensor.Data[3] = 77
		if err := errors.Join(e.Run(t.Context()), e.Fetch(0)); err != nil {
			t.Fatal(err)
		}
		if got := p.Values[1].Tensor.Data[3]; (got == 77) != over { // the device computes nothing
			t.Errorf("over %t: %d came back", over, got)
		}
	}
}

// A slot keeps its contents on the device.
func TestSlots(t *testing.T) {
	d := newTestDevice(1 << 24)
	ops, err := New("test", d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	// Three parts of whole panels.
	slot := program.Slot{Name: "B", Type: op.Type{DType: op.F32, Shape: []op.Dim{op.C(150), op.C(16)}}}
	s, err := ops.Delegate("test:0").Open(backend.SessionInfo{Slots: []program.Slot{slot}})
	if err != nil {
		t.Fatal(err)
	}
	data, got := make([]byte, 150*16*4), make([]byte, 150*16*4)
	for i := range data {
		data[i] = byte(i % 251)
	}
	if err := errors.Join(s.WriteSlot(0, data), s.ReadSlot(0, got)); err != nil {
		t.Fatal(err)
	}
	if string(got) != string(data) {
		t.Error("other bytes came back")
	}
	if len(s.(*session).slots[0].parts) != 3 {
		t.Errorf("%d parts", len(s.(*session).slots[0].parts))
	}
	for _, i := range []int{-1, 1} {
		if err := s.WriteSlot(i, data); !errors.Is(err, op.ErrInvalid) {
			t.Errorf("slot %d: %v", i, err)
		}
	}
}
