package gpu

import (
	"slices"
	"testing"
	"time"

	"zeroth/runtime/backend"
	"zeroth/runtime/op"
)

// quickDevice has arithmetic beside f32.
type quickDevice struct {
	tunedDevice
	arithmetic Arithmetic
}

func (d *quickDevice) Limits() Limits {
	l := d.testDevice.Limits()
	l.Arithmetic = d.arithmetic
	return l
}

var testMatrix = Matrix{M: 16, N: 16, K: 16, Subgroup: 32}

// coded is a chain whose product is with panels, of an x of so many copies.
func coded(d op.DType, copies int) *backend.Partition {
	p := chain(0, 64, 128)
	x, w, y := p.Values[0].Tensor, p.Values[1].Tensor, p.Values[2].Tensor
	w.Type.DType, w.Type.Layout = d, op.Panels16
	w.Data = make([]byte, w.Type.Panels().Bytes)
	for _, t := range []*struct{ wide *bool }{{&x.Type.Wide}, {&y.Type.Wide}} {
		*t.wide = copies > 1
	}
	x.Width, y.Width = copies, copies
	x.Data, y.Data = make([]byte, copies*64*16*4), make([]byte, copies*64*128*4)
	return p
}

// The best way that a device has for a type of weights is taken.
func TestMultipliers(t *testing.T) {
	all := Arithmetic{Dot: true, Half: testMatrix, Bytes: testMatrix}
	for _, c := range []struct {
		a       Arithmetic
		weights op.DType
		want    string
	}{
		{all, op.I8, "linearbytematrix"},
		{all, op.Q4, "linearmatrix"},
		{all, op.BF16, "linear"},
		{all, op.F32, "linear"},
		{Arithmetic{Half: testMatrix, RoundFloats: true}, op.F32, "linearmatrix"},
		{Arithmetic{Half: testMatrix, RoundFloats: true}, op.BF16, "linearmatrix"},
		{Arithmetic{Half: testMatrix}, op.I8, "linearmatrix"},
		{Arithmetic{Dot: true}, op.I8, "lineardot"},
		{Arithmetic{Dot: true}, op.NF4, "lineardot"},
		{Arithmetic{Dot: true}, op.BF16, "linear"},
		{Arithmetic{}, op.I8, "linear"},
	} {
		d := &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24)}, c.a}
		stages := stagesOf(t, d, coded(c.weights, 1), Options{})
		if got := stages[len(stages)-1].Kernel.Name; got != c.want {
			t.Errorf("%+v, %s: %s, want %s", c.a, c.weights, got, c.want)
		}
	}
}

func stagesOf(t *testing.T, d *quickDevice, p *backend.Partition, o Options) []Stage {
	t.Helper()
	ops, err := New("test", d, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ops.Delegate("test:0").Open(backend.SessionInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Compile(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return d.recorded[len(d.recorded)-1]
}

// Sums of bytes over more columns than 32 bits are for are not taken.
func TestColumnsOfBytes(t *testing.T) {
	for d, want := range map[op.DType][3]bool{op.I8: {false, false, true}, op.Q4: {false, true, true}} {
		for i, a := range []Arithmetic{{Bytes: testMatrix}, {Dot: true}, {Half: testMatrix}} {
			for _, columns := range []int{mostByteColumns, mostByteColumns + 64} {
				m := a.multiplierFor(op.Type{DType: d, Layout: op.Panels16, Shape: []op.Dim{op.C(16), op.C(columns)}})
				if taken := want[i] || d == op.I8 && columns == mostByteColumns; taken != (m != nil) {
					t.Errorf("%+v, %s, %d columns: %+v", a, d, columns, m)
				}
			}
		}
	}
	if mostByteColumns*127*128 > 1<<31-1 {
		t.Error("the sums do not fit")
	}
}

// Whatever tile is best, the head's kernels have few elements.
func TestHeadTile(t *testing.T) {
	d := &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24)}, Arithmetic{}}
	for _, m := range []*multiplier{nil, {bytes: true}, {matrix: &testMatrix}} {
		for _, tile := range Tiles() {
			for copies := 1; copies <= 10; copies++ {
				p := coded(op.I8, copies)
				b := &builder{Ops: &Ops{device: d, options: Options{Tile: tile}}}
				x, w := p.Values[0].Tensor, p.Values[1].Tensor
				got := b.headTile(m, w, x)
				elements := got.A * got.B
				if m != nil {
					s := b.shape(m, got, copies)
					elements = s.slots * s.U * s.B
				}
				if elements > mostHeadElements || tile.A*tile.B <= 8 && copies < 3 && got != tile {
					t.Errorf("%+v, %d copies: tile %v for %v, %d elements", m, copies, got, tile, elements)
				}
			}
		}
	}
}

// A product of several copies has kernels for them and for one, of which those of
// the moment run; its tile holds all roundings of a row, or pairs with the first.
func TestRoundedStages(t *testing.T) {
	for _, c := range []struct {
		a              Arithmetic
		copies         int
		kinds, one     uint32 // of all copies and of one
		slots, grouped uint32
		groups         int // work groups, of 64 rows by 128 columns in tiles of 64 columns
	}{
		{Arithmetic{Dot: true}, 4, 4, 2, 4, 0, 4 * 2},
		{Arithmetic{Dot: true}, 3, 4, 2, 4, 0, 4 * 2},
		{Arithmetic{Half: testMatrix}, 3, 3, 1, 3, 0, 4 * 2},
		{Arithmetic{Half: testMatrix}, 8, 8, 1, 8, 0, 8 * 2},
		{Arithmetic{Dot: true}, 10, 10, 2, 7, 1, 2 * 8 * 2},
	} {
		p := coded(op.I8, c.copies)
		d := &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24)}, c.a}
		stages := stagesOf(t, d, p, Options{Tile: Tile{8, 4}})
		if len(stages) != 3 || stages[0].Kernel.Name != "round" {
			t.Fatalf("%d stages", len(stages))
		}
		one, several := stages[1], stages[2]
		if several.Constants[1] != c.slots || several.Constants[6] != c.grouped || one.Constants[1] != c.one {
			t.Errorf("%+v: constants %d and %d", c, several.Constants, one.Constants)
		}
		if got := len(several.Constants) > SubgroupConstant && several.Constants[SubgroupConstant] == 32; got != (c.a.Half != Matrix{}) {
			t.Errorf("%+v: subgroups are wanted: %v", c, got)
		}
		words := make([]uint32, MaxWords)
		if one.Extents(words) != 0 {
			t.Errorf("%+v: kernels for one copy run", c)
		}
		if got := several.Extents(words); got != c.groups || words[0] != uint32(c.copies) || words[2] != c.kinds {
			t.Errorf("%+v: %d groups, parameters %d", c, got, words)
		}
		p.Values[0].Tensor.Width, p.Values[2].Tensor.Width = 1, 1
		if several.Extents(words) != 0 || one.Extents(words) == 0 || words[2] != c.one {
			t.Errorf("%+v: one copy: parameters %d", c, words)
		}
	}
}

// Large tiles are tried with kernels of matrices and of several copies alone, and hold no
// more than an invocation has registers for.
func TestLargeTiles(t *testing.T) {
	w := op.Type{DType: op.Q4, Layout: op.Panels16, Shape: []op.Dim{op.C(4096), op.C(4096)}}
	for _, c := range []struct {
		m      *multiplier
		rows   int
		copies int
		large  bool
	}{
		{&multiplier{matrix: &testMatrix}, 512, 2, true},
		{&multiplier{matrix: &testMatrix, bytes: true}, 512, 9, true},
		{&multiplier{matrix: &testMatrix}, 512, 1, false},
		{&multiplier{matrix: &testMatrix}, 32, 2, false},
		{&multiplier{bytes: true}, 512, 2, false},
	} {
		class := classOf(w, c.rows, 4096, 4096).rounded(c.m, c.copies)
		if got := slices.Contains(class.candidates(), Tile{16, 8}); got != c.large {
			t.Errorf("%+v: tried: %v", c, got)
		}
	}
	b := &builder{Ops: new(Ops)}
	for copies := 1; copies <= 20; copies++ {
		for _, tile := range slices.Concat(Tiles(), MatrixTiles()) {
			s := b.shape(&multiplier{matrix: &testMatrix}, tile, copies)
			if sums := s.slots * s.U * s.B; sums > 128 || sums+s.U*s.B > 192 {
				t.Errorf("%d copies, %v: %d sums and %d of the low-rank product", copies, tile, sums, s.U*s.B)
			}
		}
	}
}

// Tiles are tried with the kernel that will use them, by copies apart.
func TestTuningOfRounded(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, cache)
	}
	d := &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24), quick: Tile{4, 8}}, Arithmetic{Dot: true}}
	for _, copies := range []int{1, 4} {
		before := len(d.recorded)
		stagesOf(t, d, coded(op.Q4, copies), Options{Tune: true})
		trials := d.recorded[before : len(d.recorded)-1]
		wrong := func(stages []Stage) bool {
			return len(stages) != 4 || stages[0].Kernel.Name != "lineardot" || stages[0].Constants[1] != uint32(max(copies, 2))
		}
		if len(trials) != len(tiles) || slices.ContainsFunc(trials, wrong) {
			t.Errorf("%d copies: %d trials", copies, len(trials))
		}
	}
}

// The loops are those of what the device has, and give back their memory; products
// are timed in tiles with the kernel that they are held against.
func TestPeaks(t *testing.T) {
	d := &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24), quick: Tile{4, 8}}, Arithmetic{Dot: true, Half: testMatrix}}
	ops, err := New("test", d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	live := len(d.live)
	peaks, err := ops.Peaks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range peaks {
		names = append(names, p.Name)
		if !(p.PerSecond > 0) {
			t.Errorf("%+v", p)
		}
	}
	if !slices.Equal(names, []string{"multiply-adds of f32", "dot products of bytes", "matrices of f16", "copy, bytes read and written"}) {
		t.Errorf("%q", names)
	}
	for weights, want := range map[op.DType][2]string{
		op.F32: {"linear", "multiply-adds of f32"}, op.Q4: {"linearmatrix", "matrices of f16"},
	} {
		w := coded(weights, 1).Values[1].Tensor.Type
		p, err := ops.TimeProduct(t.Context(), w, 100, time.Second)
		if err != nil || p.Kernel != want[0] || p.Against != want[1] || p.Seconds <= 0 || !slices.Contains(names, p.Against) {
			t.Errorf("%s: %+v, %v", weights, p, err)
		}
	}
	if len(d.live) != live {
		t.Errorf("%d buffers, there were %d", len(d.live), live)
	}
}
