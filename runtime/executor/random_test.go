package executor_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// draw makes a program of random nodes that the op table allows, whether they
// make sense or not: what a file may hold that no compiler of ours has written.
type draw struct {
	*rand.Rand
	program program.Program
	method  program.Method
	fixed   []op.Dim // constant extents to choose from, few, so that shapes fit often
	rows    op.Dim   // the symbolic one
}

// typeOf draws a type for a port; of a constant or slot all extents are constant.
func (d *draw) typeOf(port *op.Port, stored bool) op.Type {
	t := op.Type{DType: port.DType}
	switch port.Name {
	case "seed":
		t.Shape = []op.Dim{op.C(2)}
		return t
	case "first", "eps", "lr":
		t.Shape = []op.Dim{op.C(1)}
		return t
	case "offsets", "rows", "choices":
		if !stored {
			t.Shape = []op.Dim{op.S(d.rows.Sym, 1)}
			return t
		}
	}
	rank := port.Rank
	if rank == 0 {
		rank = 1 + d.IntN(2)
	}
	for range rank {
		dim := d.fixed[d.IntN(len(d.fixed))]
		if !stored && d.IntN(3) == 0 {
			dim = d.rows
		}
		t.Shape = append(t.Shape, dim)
	}
	if stored && port.Panels && d.IntN(2) == 0 {
		t.Layout = op.Panels16
		t.DType = op.WeightTypes()[d.IntN(len(op.WeightTypes()))]
	}
	return t
}

// value draws one for a port: a value that is there, or a new input, constant or
// slot. It is −1 where there can be none.
func (d *draw) value(port *op.Port) int {
	if port.Index == nil && !port.Mutable && (port.Wide || d.IntN(2) == 0) {
		var fit []int
		for i := range d.method.Values {
			t := &d.method.Values[i].Type
			if t.DType == port.DType && (port.Rank == 0 || len(t.Shape) == port.Rank) && (t.Wide || !port.Wide) && !(t.Wide && port.Narrow) {
				fit = append(fit, i)
			}
		}
		if len(fit) > 0 {
			return fit[d.IntN(len(fit))]
		}
	}
	if port.Wide {
		return -1
	}
	name := fmt.Sprint("value", len(d.method.Values))
	v := program.Value{Name: name, Kind: program.Input}
	switch kind := d.IntN(3); {
	case port.Mutable || kind == 0 && port.Index == nil && port.DType == op.F32:
		v.Kind, v.Ref, v.Type = program.SlotRef, len(d.program.Slots), d.typeOf(port, true)
		v.Type.DType, v.Type.Layout = op.F32, op.Rows
		d.program.Slots = append(d.program.Slots, program.Slot{Name: name, Type: v.Type})
	case kind == 1:
		v.Kind, v.Ref, v.Type = program.ConstRef, len(d.program.Constants), d.typeOf(port, true)
		d.program.Constants = append(d.program.Constants, program.Constant{Name: name, Type: v.Type, Data: d.data(v.Type)})
	default:
		v.Type = d.typeOf(port, false)
	}
	d.method.Values = append(d.method.Values, v)
	return len(d.method.Values) - 1
}

// data is that of a constant: floats, zeros in panels, and indices that ascend.
func (d *draw) data(t op.Type) []byte {
	size, err := t.Bytes(op.Extents{})
	if err != nil {
		return nil
	}
	b := make([]byte, size)
	if t.Layout == op.Panels16 {
		return b
	}
	for i := 0; i < size; i += 4 {
		bits := uint32(min(i/4, d.fixed[0].Offset))
		if t.DType == op.F32 {
			bits = math.Float32bits(float32(d.NormFloat64()))
		}
		binary.LittleEndian.PutUint32(b[i:], bits)
	}
	return b
}

// node adds a node of an op, or nothing where no inputs that it takes were drawn.
func (d *draw) node(spec *op.Spec) bool {
	all := d.fixed
	defer func() { d.fixed = all }()
	for range 300 {
		d.fixed = []op.Dim{all[d.IntN(len(all))], all[d.IntN(len(all))]}
		d.rows = op.S([]op.Sym{op.Tokens, op.Sym(1 + d.IntN(6))}[d.IntN(2)], 0)
		values, constants, slots := len(d.method.Values), len(d.program.Constants), len(d.program.Slots)
		n := program.Node{Op: spec.ID, Name: fmt.Sprint("node", len(d.method.Nodes))}
		for _, a := range spec.Attrs {
			attr := op.Attr{Name: a.Name, Kind: a.Kind, F: 0.1}
			if a.Kind == op.Int {
				attr.I, attr.F = int64(min(max(float64(d.IntN(5)), a.Min), a.Max)), 0
			}
			n.Attrs = append(n.Attrs, attr)
		}
		var types []op.Type
		for i := range spec.Inputs[:len(spec.Inputs)-d.IntN(spec.Optional+1)] {
			v := d.value(&spec.Inputs[i])
			if v < 0 {
				break
			}
			n.In, types = append(n.In, v), append(types, d.method.Values[v].Type)
		}
		made, err := spec.Infer(types, n.Attrs)
		if err == nil {
			for _, t := range made {
				n.Out = append(n.Out, len(d.method.Values))
				d.method.Outputs = append(d.method.Outputs, len(d.method.Values))
				d.method.Values = append(d.method.Values, program.Value{Name: fmt.Sprint("value", len(d.method.Values)), Kind: program.Temp, Type: t})
			}
			d.method.Nodes = append(d.method.Nodes, n)
			return true
		}
		d.method.Values, d.program.Constants, d.program.Slots = d.method.Values[:values], d.program.Constants[:constants], d.program.Slots[:slots]
	}
	return false
}

// drawProgram makes a program of up to six nodes, rather of ops with few before.
func drawProgram(random *rand.Rand, uses map[op.ID]int) *program.Program {
	d := &draw{Rand: random, method: program.Method{Name: "m"}}
	for range 1 + d.IntN(3) {
		d.fixed = append(d.fixed, op.C([]int{1, 2, 3, 4, 6, 8, 16, 17}[d.IntN(8)]))
	}
	lora, _ := op.Lookup(op.LinearLoRA) // makes wide values, for others to take
	d.node(lora)
	for range 1 + d.IntN(5) {
		specs := op.All()
		slices.SortStableFunc(specs, func(a, b *op.Spec) int { return uses[a.ID] - uses[b.ID] })
		if spec := specs[d.IntN(10)]; d.node(spec) {
			uses[spec.ID]++
		}
	}
	d.program.Methods = []program.Method{d.method}
	return &d.program
}

// outcome is what a run of a program gives: outputs and slots, or an error.
type outcome struct {
	values []float32
	err    error
}

// runs binds a program and runs it with several batches, drawn from the seed.
func runs(t *testing.T, p *program.Program, registry *kernel.Registry, seed uint64) []outcome {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	whole := op.Extents{Width: 4, N: 5, S: 3, R: 4, K: 3, G: 2, Q: 2}
	s, err := executor.New(p, registry, executor.Options{Bounds: whole, Threads: 2, MaxBytes: 64 << 20})
	if err != nil {
		return []outcome{{err: err}}
	}
	defer s.Close()
	m := method(t, s, "m")
	var all []outcome
	for _, e := range []op.Extents{whole, {Width: 1 + random.IntN(4), N: random.IntN(6), S: random.IntN(4), R: random.IntN(5), K: random.IntN(4), G: random.IntN(3), Q: random.IntN(3)}} {
		if err := m.Resize(e); err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Def().Values {
			if v.Kind == program.Input {
				in, err := m.Input(v.Name)
				if err != nil {
					t.Fatal(err)
				}
				fill(random, in)
			}
		}
		for i := range p.Slots {
			values, err := s.WriteSlot(i)
			if err != nil {
				t.Fatal(err)
			}
			for j := range values {
				values[j] = float32(j%5) - 2
			}
		}
		if err := m.Run(context.Background()); err != nil {
			all = append(all, outcome{err: err})
			continue
		}
		var values []float32
		for _, v := range m.Def().Outputs {
			out, err := m.Output(m.Def().Values[v].Name)
			if err != nil {
				t.Fatal(err)
			}
			for c := range out.Width {
				values = append(values, out.Copy(c)...)
			}
		}
		for i := range p.Slots {
			values = append(values, slot(t, s, i)...)
		}
		all = append(all, outcome{values: values})
	}
	return all
}

// fill draws an input: floats, seeds, and indices, most of which are in range.
func fill(random *rand.Rand, in *kernel.Tensor) {
	switch in.Type.DType {
	case op.F32:
		for i := range in.F32() {
			in.F32()[i] = float32(random.NormFloat64())
		}
	case op.U32:
		for i := range in.U32() {
			in.U32()[i] = random.Uint32()
		}
	case op.I32:
		kind := random.IntN(4)
		for i := range in.I32() {
			in.I32()[i] = int32([]int{0, i, random.IntN(3), random.IntN(8) - 1}[kind])
		}
	}
}

// far says by how much two results differ: the squared error as a share of the
// values, infinite where one is a number and the other is none.
func far(got, want []float32) float64 {
	var off, all float64
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(g-g) != math.IsNaN(float64(w-w)) {
			return math.Inf(1)
		}
		if !math.IsNaN(g - g) {
			off, all = off+(g-float64(w))*(g-float64(w)), all+float64(w)*float64(w)
		}
	}
	return off / (all + 1e-6)
}

// Whatever nodes a sound program has, plain and fast kernels refuse the same
// batches and give the same results for the others. A panic ends the test.
func TestRandomPrograms(t *testing.T) {
	uses, sound, ran := make(map[op.ID]int), 0, 0
	for seed := range uint64(400) {
		p := drawProgram(rand.New(rand.NewPCG(seed, 1)), uses)
		if program.Verify(p) != nil {
			continue
		}
		sound++
		want, got := runs(t, p, plain(t), seed), runs(t, p, packed(t), seed)
		if len(got) != len(want) {
			t.Errorf("program %d: %d outcomes, by plain kernels %d: one kind does not bind it: %v", seed, len(got), len(want), p.Methods[0].Nodes)
			continue
		}
		for i := range want {
			if (got[i].err == nil) != (want[i].err == nil) {
				t.Errorf("program %d, run %d: %v, by plain kernels %v: %v", seed, i, got[i].err, want[i].err, p.Methods[0].Nodes)
			} else if off := far(got[i].values, want[i].values); off > 1e-3 {
				t.Errorf("program %d, run %d: off by %g: %v", seed, i, off, p.Methods[0].Nodes)
			} else if want[i].err == nil {
				ran++
			}
		}
	}
	for _, spec := range op.All() {
		if uses[spec.ID] == 0 && spec.ID != op.LinearLoRA {
			t.Errorf("no program has a node %s", spec.Name)
		}
	}
	if sound < 200 || ran < 200 {
		t.Errorf("of %d sound programs %d runs were compared", sound, ran)
	}
	t.Logf("%d sound programs, %d runs compared: %v", sound, ran, uses)
}
