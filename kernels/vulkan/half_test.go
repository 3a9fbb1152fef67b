package vulkan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"zeroth/internal/half"
	"zeroth/kernels/gpu"
	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// openStoring opens a device that stores activations as f16, or skips.
func openStoring(t *testing.T) *Device {
	t.Helper()
	return openStoringWith(t, "", Options{})
}

// openStoringWith opens it with further arithmetic and options.
func openStoringWith(t *testing.T, ways string, o Options) *Device {
	t.Helper()
	a, err := ParseArithmetic(gpu.WayStore16 + "," + ways)
	if err != nil {
		t.Fatal(err)
	}
	if d := open(t); !d.Physical().Features.FP16Storage {
		t.Skipf("%s cannot store f16", d.Physical().Name)
	}
	o.Arithmetic = a
	return openWith(t, o)
}

// matrix is a value [rows, columns] in rows.
func matrix(rows, columns int) *kernel.Tensor {
	return &kernel.Tensor{
		Type:  op.Type{DType: op.F32, Shape: []op.Dim{op.C(rows), op.C(columns)}},
		Width: 1, Shape: []int{rows, columns}, Data: make([]byte, 4*rows*columns),
	}
}

// indices are the numbers 0 … n − 1.
func indices(n int) *kernel.Tensor {
	t := &kernel.Tensor{Type: op.Type{DType: op.I32, Shape: []op.Dim{op.C(n)}}, Width: 1, Shape: []int{n}, Data: make([]byte, 4*n)}
	for i := range n {
		binary.LittleEndian.PutUint32(t.Data[4*i:], uint32(i))
	}
	return t
}

func setElement(t *kernel.Tensor, i int, v float32) {
	binary.LittleEndian.PutUint32(t.Data[4*i:], math.Float32bits(v))
}

func element(t *kernel.Tensor, i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
}

// gather runs a partition that looks all rows of a table of weights up.
func gather(t *testing.T, d *Device, table *kernel.Tensor) *kernel.Tensor {
	t.Helper()
	rows, y := indices(table.Shape[0]), matrix(table.Shape[0], table.Shape[1])
	y.Type.Shape[0] = op.S(op.LossRows, 0) // an activation, which is not split
	spec, _ := op.Lookup(op.Gather)
	p := &backend.Partition{
		Nodes: []backend.Node{{Name: "gather", Spec: spec, In: []int{0, 1}, Out: []int{2}}},
		Values: []backend.Value{
			{Name: "table", Kind: program.ConstRef, Tensor: table}, {Name: "rows", Kind: program.Input, Tensor: rows}, {Name: "y", Kind: program.Temp, Tensor: y},
		},
		Inputs: []int{1}, Outputs: []int{2},
	}
	s, err := d.Delegate("vulkan:0").Open(backend.SessionInfo{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e, err := s.Compile(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Run(t.Context()), e.Fetch(0)); err != nil {
		t.Fatal(err)
	}
	return y
}

// The device rounds to f16 as the host does: the middle between each pair of
// neighbours, what is next to it, and what is beyond.
func TestStoresHalves(t *testing.T) {
	d := openStoring(t)
	values := []float32{
		0, float32(math.Inf(1)), float32(math.NaN()), math.MaxFloat32, 65504, 65519.996, 65520, 65535, 65536, 1e-40, math.Float32frombits(0x7f800001),
		0x1p-25, 0x1.000002p-25, 0x1.8p-24, 0x1p-14, 0x1.ffep-15,
	}
	for low := uint16(0); low < 0x7bff; low++ {
		middle := half.ToFloat(low)/2 + half.ToFloat(low+1)/2
		values = append(values, half.ToFloat(low), middle, math.Nextafter32(middle, 0), math.Nextafter32(middle, math.MaxFloat32))
	}
	const columns = 101
	rows := (2*len(values) + columns - 1) / columns
	table := matrix(rows, columns)
	for i, v := range values {
		setElement(table, 2*i, v)
		setElement(table, 2*i+1, -v)
	}
	y := gather(t, d, table)
	for i := range rows * columns {
		v := element(table, i)
		got, want := element(y, i), half.Round(v)
		if math.Float32bits(got) != math.Float32bits(want) && !(got != got && want != want) {
			t.Fatalf("%g (%08x) is stored as %g, want %g", v, math.Float32bits(v), got, want)
		}
	}
}

// Each half is loaded as what it stands for.
func TestLoadsHalves(t *testing.T) {
	registry, err := kernel.NewRegistry(openStoring(t).Kernels())
	if err != nil {
		t.Fatal(err)
	}
	const rows, columns = 1 << 8, 1 << 8
	x, zero, y := matrix(rows, columns), matrix(rows, columns), matrix(rows, columns)
	for i := range rows * columns {
		setElement(x, i, half.ToFloat(uint16(i)))
	}
	add, err := registry.Pick(op.Add, []op.Type{x.Type, zero.Type}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if add.Half != (kernel.Operands{In: 3, Out: 1}) {
		t.Errorf("%s keeps %+v as f16", add.Name, add.Half)
	}
	spec, _ := op.Lookup(op.Add)
	runner, err := add.Bind(&kernel.Call{Spec: spec, In: []*kernel.Tensor{x, zero}, Out: []*kernel.Tensor{y}})
	if err == nil {
		err = runner.Run()
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows * columns {
		want, got := element(x, i), element(y, i)
		if got != want && !(got != got && want != want) { // −0 + 0 is 0
			t.Fatalf("%04x is loaded as %g, want %g", i, got, want)
		}
	}
}

// Tables of weights stay as they are, whatever their layout, whole or split, and what
// is looked up is rounded: rows of odd lengths and of one element, too.
func TestGatheredHalves(t *testing.T) {
	d := openStoring(t)
	for _, columns := range []int{1, 3, 17, 64} {
		for _, limit := range []int64{d.limits.PartBytes, 1000} {
			t.Run(fmt.Sprint(columns, limit), func(t *testing.T) {
				usual := d.limits.PartBytes
				d.limits.PartBytes = limit
				defer func() { d.limits.PartBytes = usual }()
				table := matrix(75, columns)
				for i := range 75 * columns {
					setElement(table, i, float32(math.Sin(float64(i)))*100)
				}
				panels := &kernel.Tensor{Type: table.Type, Width: 1, Shape: table.Shape}
				panels.Type.Layout = op.Panels16
				words := panels.Type.Panels().Words
				panels.Data = make([]byte, panels.Type.Panels().Bytes)
				for m := range 75 {
					for k := range columns {
						setElement(panels, (m/op.PanelRows*words+k)*op.PanelRows+m%op.PanelRows, element(table, m*columns+k))
					}
				}
				for _, w := range []*kernel.Tensor{table, panels} {
					y := gather(t, d, w)
					for i := range 75 * columns {
						if want := half.Round(element(table, i)); element(y, i) != want {
							t.Fatalf("%s: element %d is %g, want %g", w.Type, i, element(y, i), want)
						}
					}
				}
			})
		}
	}
}

// A sample of the suite with activations in f16: of all ops; of products of a rounded
// x; and of weights in parts; copied through staging or not.
func TestConformanceOfHalves(t *testing.T) {
	for i, c := range []struct {
		ways, ops string
		parts     int
		partBytes int64
		shader    string // that is used, beside others
	}{
		{"", "", 43, 0, "attention.half.spv"},
		{"", "normalization", 29, 0, "normalize.half.spv"},
		{wayDot, "linear", 173, 0, "lineardot.half.spv"},
		{wayDot, "crossentropy", 173, 0, "headdot.spv"},
		{wayCoop, "linear", 173, 0, "linearmatrix.half.spv"},
		{wayCoop8, "linear", 169, 0, "linearbytematrix.half.spv"},
		{"", "gather", 61, 3000, "gather.half.spv"},
		{"", "linear", 131, 3000, "linear.half.spv"},
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.ways, c.ops, c.partBytes), func(t *testing.T) {
			d := openStoringWith(t, c.ways, Options{GPU: gpu.Options{Tile: gpu.Tile{A: 2, B: 4}}, Staged: i%2 == 1})
			if c.ways != "" && d.limits.Arithmetic == (gpu.Arithmetic{Store16: true}) {
				t.Skipf("%s cannot compute by %s", d.Physical().Name, c.ways)
			}
			if c.partBytes > 0 {
				d.limits.PartBytes = c.partBytes
			}
			seen, passed := make(map[string]bool), 0
			for _, r := range examine(t, d, c.ops, i+2, c.parts).Results {
				seen[r.Op] = true
				switch {
				case r.Pass:
					passed++
				case c.partBytes > 0 && strings.Contains(r.Message, gpu.ErrTooLarge.Error()): // B may not be split
				default:
					t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
				}
			}
			if passed < 2 || c.ops == "" && len(seen) < 12 {
				t.Errorf("%d cases of %d ops passed", passed, len(seen))
			}
			if !d.used()[c.shader] {
				t.Errorf("%s was not examined", c.shader)
			}
		})
	}
}
