package gpu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// halfDevice stores activations as f16.
func halfDevice() *quickDevice {
	return &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24)}, Arithmetic{Store16: true}}
}

// graph makes partitions node by node; every value is [64, 16] or [16].
type graph struct{ backend.Partition }

func (g *graph) value(kind program.ValueKind, d op.DType, shape ...int) int {
	t := &kernel.Tensor{Type: op.Type{DType: d}, Width: 1, Shape: shape}
	size := 4
	for _, extent := range shape {
		t.Type.Shape = append(t.Type.Shape, op.C(extent))
		size *= extent
	}
	t.Data = make([]byte, size)
	g.Values = append(g.Values, backend.Value{Kind: kind, Ref: len(g.Values), Tensor: t})
	return len(g.Values) - 1
}

func (g *graph) node(id op.ID, in ...int) int {
	spec, _ := op.Lookup(id)
	out := g.value(program.Temp, op.F32, 64, 16)
	g.Nodes = append(g.Nodes, backend.Node{Name: fmt.Sprint(spec.Name, len(g.Nodes)), Spec: spec, In: in, Out: []int{out}})
	return out
}

// Values are f16 where they are activations and nothing else, and all of a node are
// or none.
func TestHalves(t *testing.T) {
	g := &graph{}
	tokens, x := g.value(program.Input, op.I32, 64), g.value(program.Input, op.F32, 64, 16)
	table, tuned := g.value(program.ConstRef, op.F32, 64, 16), g.value(program.SlotRef, op.F32, 64, 16)
	scale, w := g.value(program.Input, op.F32, 16), g.value(program.ConstRef, op.F32, 16, 16)
	seed, eps := g.value(program.Input, op.U32, 1), g.value(program.Input, op.F32, 1)
	perturbed := g.node(op.Perturb, tuned, seed, seed, eps)
	embedded, trained := g.node(op.Gather, table, tokens), g.node(op.Gather, perturbed, tokens)
	sum := g.node(op.Add, embedded, x)
	normed := g.node(op.RMSNormalization, sum, scale)
	product := g.node(op.Linear, normed, w)
	picked := g.node(op.Gather, product, tokens)
	nll := g.node(op.CrossEntropyHead, picked, w, tokens)
	loss := g.node(op.WeightedSum, nll, scale)
	// What is a weight, too, is f32, and so is what nodes have beside it, up to a Gather.
	both := g.node(op.Relu, x)
	other := g.node(op.Relu, both)
	g.node(op.Linear, trained, both)
	half := halfOps(t, Arithmetic{Store16: true}).halves(g.Nodes, g.Values)
	for v, want := range map[int]bool{
		tokens: false, x: false, table: false, tuned: false, scale: false, w: false, seed: false, eps: false, perturbed: false,
		both: false, other: false, nll: false, loss: false, sum: false, embedded: false, normed: false, product: false, picked: true,
	} {
		if half[v] != want {
			t.Errorf("value %d: %t, want %t", v, half[v], want)
		}
	}
	g.Nodes = g.Nodes[:len(g.Nodes)-1]
	half = halfOps(t, Arithmetic{Store16: true}).halves(g.Nodes, g.Values)
	for v, want := range map[int]bool{
		tokens: false, x: true, table: false, tuned: false, scale: false, w: false, seed: false, eps: false, perturbed: false,
		both: true, other: true, nll: false, loss: false, sum: true, embedded: true, trained: true, normed: true, product: true, picked: true,
	} {
		if half[v] != want {
			t.Errorf("without a weight among them, value %d: %t, want %t", v, half[v], want)
		}
	}
	for v, is := range halfOps(t, Arithmetic{}).halves(g.Nodes, g.Values) {
		if is {
			t.Errorf("value %d is f16, though nobody wants that", v)
		}
	}
}

func halfOps(t *testing.T, a Arithmetic) *Ops {
	t.Helper()
	d := halfDevice()
	d.arithmetic = a
	ops, err := New("test", d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return ops
}

// A stage has the variant for f16 where its kernel has one and its node's activations
// are f16. Gather is told what its data is, linear what it writes.
func TestHalfStages(t *testing.T) {
	g := &graph{}
	x, tokens := g.value(program.Input, op.F32, 64, 16), g.value(program.Input, op.I32, 64)
	table, w := g.value(program.ConstRef, op.F32, 64, 16), g.value(program.ConstRef, op.F32, 16, 16)
	a, b := g.value(program.ConstRef, op.F32, 8, 16), g.value(program.SlotRef, op.F32, 16, 8)
	seed, first, eps := g.value(program.Input, op.U32, 1), g.value(program.Input, op.I32, 1), g.value(program.Input, op.F32, 1)
	g.Inputs = []int{x, tokens, seed, first, eps}
	embedded := g.node(op.Gather, table, tokens)
	adapted := g.node(op.LinearLoRA, embedded, w, a, b, seed, first, eps)
	g.Outputs = []int{g.node(op.Gather, adapted, tokens), g.node(op.Relu, x)}
	g.Nodes[1].Attrs = op.Attrs{op.FloatAttr("scale", 2), op.IntAttr("site", 0), op.IntAttr("sampler", 0)}
	d := halfDevice()
	ops, err := New("test", d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	slot := program.Slot{Name: "B", Type: g.Values[b].Tensor.Type}
	g.Values[b].Ref = 0
	s, err := ops.Delegate("test:0").Open(backend.SessionInfo{Slots: []program.Slot{slot}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Compile(t.Context(), &g.Partition); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, stage := range d.recorded[0] {
		got = append(got, fmt.Sprint(stage.Kernel.Name, " ", stage.Kernel.Half, " ", stage.Constants))
	}
	const want = "gather true [0 0]; linear true [0 8 4 0 0 1]; adapt false [0]; linear true [0 8 4 0 1 0]; gather true [0 1]; elementwise true [4]"
	if strings.Join(got, "; ") != want {
		t.Errorf("stages %s\nwant   %s", strings.Join(got, "; "), want)
	}
}

// f16 takes half the memory, of the arena and of what crosses, and a session holds
// what it measured.
func TestHalfMemory(t *testing.T) {
	d := halfDevice()
	s := openTest(t, d)
	list := []*backend.Partition{chain(4, 63, 511), chain(1, 8, 512)}
	want, err := s.Measure(list)
	if err != nil {
		t.Fatal(err)
	}
	const crossing = 63 * 511 * 2
	values := aligned(63*16*2) + aligned(crossing) + 8*16*2 + 8*512*2
	weights := aligned(511 * 16 * 4) // one constant, of the first that has it
	other := s.ops.table.Size + int64(d.countStages(t, s, list))*Alignment + crossing
	if exact := (backend.Memory{Constants: weights, Temporaries: aligned(63 * 16 * 2), Values: values, Other: other, Shared: true}); want != exact {
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
	if held := s.Held(); held.Temporaries != want.Temporaries || held.Values != want.Values || len(s.crossing) != crossing {
		t.Errorf("held %+v, measured %+v; %d bytes to convert in", held, want, len(s.crossing))
	}
	held, kept := s.Held().Other, s.crossing
	s.crossing = nil
	if without := s.Held().Other; held-without != crossing {
		t.Errorf("%d bytes of what is held convert", held-without)
	}
	s.crossing = kept
	before, _ := s.Moved()
	if err := errors.Join(compiled[0].Run(t.Context()), compiled[0].Fetch(0)); err != nil {
		t.Fatal(err)
	}
	if up, down := s.Moved(); up-before != 63*16*2 || down != crossing {
		t.Errorf("moved %d and %d bytes", up-before, down)
	}
	defer func() {
		for _, e := range compiled {
			e.Close()
		}
		if left := s.Held().Total(); left != s.ops.table.Size {
			t.Errorf("closed partitions hold %d bytes", left)
		}
	}()
	if n := testing.AllocsPerRun(10, func() { _, _ = compiled[0].Run(t.Context()), compiled[0].Fetch(0) }); n != 0 {
		t.Errorf("a run allocates %g times", n)
	}
}

// countStages counts those of partitions, each product once for each part of W.
func (d *quickDevice) countStages(t *testing.T, s *session, list []*backend.Partition) (n int) {
	t.Helper()
	for _, p := range list {
		e := &executable{session: s, partition: p}
		e.findValues()
		if err := e.measureScratch(nil); err != nil {
			t.Fatal(err)
		}
		n += e.stageCount
	}
	return n
}

// Values are rounded on their way to the device, the last of an odd number too, and
// come back as f32.
func TestHalvesCross(t *testing.T) {
	inf, tiny := float32(math.Inf(1)), float32(math.Ldexp(1, -24))
	for _, c := range []struct{ from, to float32 }{
		{0, 0},
		{float32(math.Copysign(0, -1)), float32(math.Copysign(0, -1))},
		{1, 1},
		{1 + 1.0/2048, 1},
		{1 + 3.0/2048, 1 + 2.0/1024},
		{-1 - 1.1/2048, -1 - 1.0/1024},
		{65504, 65504},
		{65519.996, 65504},
		{65520, inf},
		{-1e30, -inf},
		{inf, inf},
		{-inf, -inf},
		{tiny, tiny},
		{tiny / 2, 0},
		{tiny * 1.5, 2 * tiny},
		{-tiny * 0.51, -tiny},
		{float32(math.Ldexp(1023, -24)), float32(math.Ldexp(1023, -24))},
		{float32(math.Ldexp(1023.5, -24)), float32(math.Ldexp(1, -14))},
		{1e-40, 0},
		{float32(math.NaN()), float32(math.NaN())},
	} {
		for _, columns := range []int{1, 3, 16} {
			s := openTest(t, halfDevice())
			g := &graph{}
			x := g.value(program.Input, op.F32, 7, columns)
			relu, _ := op.Lookup(op.Relu)
			y := g.value(program.Temp, op.F32, 7, columns)
			g.Nodes, g.Inputs, g.Outputs = []backend.Node{{Spec: relu, In: []int{x}, Out: []int{y}}}, []int{x}, []int{y}
			data := g.Values[x].Tensor.Data[:7*columns*4]
			g.Values[x].Tensor.Data, g.Values[y].Tensor.Data = data, data // so that what is uploaded comes back
			e, err := s.Compile(t.Context(), &g.Partition)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 7 * columns {
				binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(c.from))
			}
			if err := e.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			clear(data)
			if err := e.Fetch(0); err != nil {
				t.Fatal(err)
			}
			for i := range 7 * columns {
				got := math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
				if math.Float32bits(got) != math.Float32bits(c.to) && !(c.to != c.to && got != got) {
					t.Fatalf("%g came back as %g, want %g (element %d of %d)", c.from, got, c.to, i, 7*columns)
				}
			}
		}
	}
}

// Tiles are tried again where activations are f16, with kernels and in memory of that.
func TestTuningOfHalves(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, cache)
	}
	for _, store := range []bool{false, true} {
		d := &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24), quick: Tile{4, 8}}, Arithmetic{Store16: store}}
		p := coded(op.Q4, 4)
		stagesOf(t, d, p, Options{Tune: true})
		trials := d.recorded[:len(d.recorded)-1]
		x := p.Values[0].Tensor
		bytes := int64(total(x)) * elementBytes(store)
		wrong := func(stages []Stage) bool {
			return len(stages) != 4 || stages[0].Kernel.Half != store || stages[0].Spans[0].Size != bytes
		}
		if len(trials) != len(tiles) || slices.ContainsFunc(trials, wrong) {
			t.Errorf("f16 %t: %d trials", store, len(trials))
		}
		ops, err := New("test", d, Options{Tile: Tile{4, 8}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ops.TimeProduct(t.Context(), p.Values[1].Tensor.Type, total(x)/x.Shape[1], time.Second); err != nil {
			t.Fatal(err)
		}
		if timed := d.recorded[len(d.recorded)-1]; wrong(timed) {
			t.Errorf("f16 %t: timed as f16 %t, with x of %d bytes", store, timed[0].Kernel.Half, timed[0].Spans[0].Size)
		}
	}
}

// A value that is split by rows is converted part by part.
func TestHalfParts(t *testing.T) {
	shape := []op.Dim{op.C(75), op.C(11)}
	tensor := &kernel.Tensor{Type: op.Type{DType: op.F32, Shape: shape}, Width: 1, Shape: []int{75, 11}, Data: make([]byte, 75*11*4)}
	for i := range 75 * 11 {
		binary.LittleEndian.PutUint32(tensor.Data[4*i:], math.Float32bits(float32(i)))
	}
	d := newTestDevice(1 << 20)
	m := &mirror{tensor, split(tensor, 700, true)}
	for i := range m.parts {
		b, err := d.Allocate(m.parts[i].span.Size, Local)
		if err != nil {
			t.Fatal(err)
		}
		m.parts[i].span.Buffer = b
	}
	if len(m.parts) != 3 || m.crossing() != 32*11*2 {
		t.Fatalf("%d parts of up to %d bytes", len(m.parts), m.crossing())
	}
	crossing, got := make([]byte, m.crossing()), make([]byte, len(tensor.Data))
	up, err := m.upload(d, tensor.Data, crossing)
	if err != nil {
		t.Fatal(err)
	}
	down, err := m.download(d, got, crossing)
	if err != nil || up != 75*11*2 || down != up || string(got) != string(tensor.Data) {
		t.Errorf("%d bytes up, %d down, %v; the same: %t", up, down, err, string(got) == string(tensor.Data))
	}
}

// The kernels for the registry say what they keep as f16.
func TestKernelsTellHalves(t *testing.T) {
	for _, store := range []bool{false, true} {
		told := 0
		for _, k := range halfOps(t, Arithmetic{Store16: store}).Kernels() {
			if k.Half != (kernel.Operands{}) {
				told++
			}
		}
		if want := map[bool]int{true: len(activations)}[store]; told != want {
			t.Errorf("stored as f16 %t: %d kernels say so, want %d", store, told, want)
		}
	}
}
