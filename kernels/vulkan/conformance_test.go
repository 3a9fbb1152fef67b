package vulkan

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// open opens the first usable device, with validation where its layer is
// installed, or skips. The test fails if a message came.
func open(t *testing.T) *Device {
	t.Helper()
	return openWith(t, Options{})
}

func openWith(t *testing.T, o Options) *Device {
	t.Helper()
	o.Validate = true
	d, err := Open(o)
	if errors.Is(err, vk.ErrUnavailable) {
		o.Validate = false
		d, err = Open(o)
	}
	if errors.Is(err, vk.ErrUnavailable) || errors.Is(err, ErrDevice) || errors.Is(err, vk.ErrUnusable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		for _, m := range d.Messages() {
			t.Error(m)
		}
	})
	return d
}

// examine runs a part of the suite, of the ops whose name contains a text.
func examine(t *testing.T, d *Device, ops string, part, parts int) conformance.Report {
	t.Helper()
	registry, err := kernel.NewRegistry(d.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Run(t.Context(), registry, conformance.Options{Op: ops, Workers: []int{1}, Part: part, Parts: parts, Taken: true})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A sample of the suite: llvmpipe takes minutes for the whole, which is what
// `zeroth conformance --backend vulkan` runs.
func TestConformance(t *testing.T) {
	const parts = 13
	seen := make(map[string]bool)
	for _, r := range examine(t, open(t), "", 5, parts).Results {
		seen[r.Op] = true
		if !r.Pass {
			t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
		}
	}
	for _, s := range op.All() {
		if !seen[s.Name] && !strings.HasSuffix(s.Name, "Tangent") {
			t.Errorf("no case of %s", s.Name)
		}
	}
}

// Each way to multiply computes products within the limits, whether it is quick on
// the device or not; also with so few slots that copies are cut into groups.
func TestArithmetic(t *testing.T) {
	for i, c := range []struct {
		way, kernels string
		slots        int
	}{{wayDot, "dot", 0}, {wayDot, "dot", 3}, {wayCoop, "matrix", 0}, {wayCoop, "matrix", 3}, {wayCoop8, "bytematrix", 0}} {
		t.Run(fmt.Sprint(c.way, c.slots), func(t *testing.T) {
			d := openMultiplying(t, c.way, gpu.Options{Tile: gpu.Tile{A: 2, B: 4}, Slots: c.slots})
			for k, o := range []string{"linear", "crossentropy"} {
				for _, r := range examine(t, d, o, 5*i+k, 127).Results {
					if !r.Pass {
						t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
					}
				}
			}
			used := d.used()
			if !used["linear"+c.kernels+".spv"] || !used["head"+c.kernels+".spv"] {
				t.Errorf("not all of its kernels were examined: %v", used)
			}
		})
	}
}

// used are the shaders that the device was given.
func (d *Device) used() map[string]bool {
	used := make(map[string]bool)
	for key := range d.pipelines {
		used[key.shader] = true
	}
	return used
}

// openMultiplying opens a device that multiplies in a way, or skips.
func openMultiplying(t *testing.T, way string, o gpu.Options) *Device {
	t.Helper()
	a, err := ParseArithmetic(way)
	if err != nil {
		t.Fatal(err)
	}
	d := openWith(t, Options{Arithmetic: a, GPU: o})
	if d.limits.Arithmetic == (gpu.Arithmetic{}) {
		t.Skipf("%s cannot compute by %s", d.Physical().Name, way)
	}
	return d
}

// Products by matrices are right in the tiles that are for them alone. The cases are
// of codes and of several copies, the first of more tokens and rows than a tile has:
// llvmpipe takes seconds for each.
func TestMatrixTiles(t *testing.T) {
	for i, c := range []struct{ way, op, name, kernel string }{
		{wayCoop, "linear", "N=65 K=129 M=127 panels16 wide bias q4", "linearmatrix"},
		{wayCoop, "linearlora", "N=7 K=18 M=33 r=8 P=3 first=1000 eps=0.001 gaussian panels16 wide q4", "linearmatrix"},
		{wayCoop8, "linear", "N=65 K=129 M=127 panels16 wide bias i8", "linearbytematrix"},
	} {
		tile := gpu.MatrixTiles()[1-i%2]
		t.Run(fmt.Sprint(c.way, tile, c.op), func(t *testing.T) {
			d := openMultiplying(t, c.way, gpu.Options{Tile: tile})
			registry, err := kernel.NewRegistry(d.Kernels())
			if err != nil {
				t.Fatal(err)
			}
			report, err := conformance.Run(t.Context(), registry, conformance.Options{Op: c.op, Case: c.name, Workers: []int{1}})
			if err != nil || len(report.Results) != 1 {
				t.Fatalf("%d cases, %v", len(report.Results), err)
			}
			if r := report.Results[0]; !r.Pass {
				t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
			}
			used := false
			for key := range d.pipelines {
				slots, u, b := key.constants[1], key.constants[2], key.constants[3]
				used = used || key.shader == c.kernel+".spv" && slots*u == uint32(tile.A) && b == uint32(tile.B)
			}
			if !used {
				t.Errorf("no %s in tiles of %v", c.kernel, tile)
			}
		})
	}
}

// A device whose shaders may have no more buffers than the least that is asked for
// computes all ops, rounded products in f32.
func TestFewBuffers(t *testing.T) {
	dot, err := ParseArithmetic(wayDot)
	if err != nil {
		t.Fatal(err)
	}
	d := openWith(t, Options{Arithmetic: dot})
	p := d.Physical()
	p.Limits.StorageBuffers = vk.LeastBindings
	if has := d.limits.Arithmetic; has.Dot {
		if _, err := d.pipeline(t.Context(), gpu.VariantList()[1], nil); !errors.Is(err, vk.ErrUnusable) {
			t.Errorf("a shader with too many buffers: %v", err)
		}
	}
	d.limits.Arithmetic = dot.products(p)
	seen := make(map[string]bool)
	for _, r := range examine(t, d, "", 3, 97).Results {
		seen[r.Op] = true
		if !r.Pass {
			t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
		}
	}
	for _, o := range []string{"Linear", "LinearLoRA", "CrossEntropyHead"} {
		if !seen[o] {
			t.Errorf("no case of %s", o)
		}
	}
}

// Products are right in tiles of any size that may be tried.
func TestTiles(t *testing.T) {
	for i, tile := range gpu.Tiles() {
		d := openWith(t, Options{GPU: gpu.Options{Tile: tile}})
		for _, o := range []string{"linear", "crossentropy"} {
			for _, r := range examine(t, d, o, i, 157).Results {
				if !r.Pass {
					t.Errorf("%v: %s %s: %s", tile, r.Op, r.Case, r.Message)
				}
			}
		}
	}
}

// With a low limit on what a shader can address, weights are split by rows.
func TestSplitWeights(t *testing.T) {
	d := open(t)
	d.limits.PartBytes = 3000
	for o, parts := range map[string]int{"gather": 31, "linear": 31, "crossentropy": 31, "perturb": 5, "update": 11} {
		passed := 0
		for _, r := range examine(t, d, o, 3, parts).Results {
			switch {
			case r.Pass:
				passed++
			case r.Op == "LinearLoRA" && strings.Contains(r.Message, gpu.ErrTooLarge.Error()): // B may not be split
			default:
				t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
			}
		}
		if passed < 2 {
			t.Errorf("%s: %d cases passed", o, passed)
		}
	}
}

// The validation layer is at work: it finds a barrier that is missing.
func TestValidationSeesHazards(t *testing.T) {
	d, err := Open(Options{Validate: true})
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	buffer, err := d.Allocate(4096, gpu.Local)
	if err != nil {
		t.Fatal(err)
	}
	span := func(offset int64) gpu.Span { return gpu.Span{Buffer: buffer, Offset: offset, Size: 1024} }
	relu := kernelNamed("elementwise")
	extents := func(words []uint32) int {
		words[0], words[1], words[2] = 256, 256, 256
		return 2
	}
	for _, told := range []bool{true, false} {
		if !told {
			relu.Writes = 0 // so that no barrier is recorded
		}
		r, err := d.Record([]gpu.Stage{
			{Kernel: relu, Constants: []uint32{4}, Spans: []gpu.Span{span(0), span(0), span(1024)}, Extents: extents},
			{Kernel: relu, Constants: []uint32{4}, Spans: []gpu.Span{span(1024), span(1024), span(2048)}, Extents: extents},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Free()
		if found := len(d.Messages()) > 0; found == told {
			t.Errorf("told what is written: %v; messages: %q", told, d.Messages())
		}
	}
}

func TestNoSuchDevice(t *testing.T) {
	open(t)
	for _, index := range []int{-1, 1000} {
		if _, err := Open(Options{Index: index}); !errors.Is(err, ErrDevice) {
			t.Errorf("device %d: %v", index, err)
		}
	}
}

// A device that does not answer in time is given up, with an error, at once and
// for all later runs.
func TestTimeout(t *testing.T) {
	d := open(t)
	x := make([]byte, 4<<20)
	shape := []op.Dim{op.S(op.Tokens, 0), op.C(1024)}
	tensor := func() *kernel.Tensor {
		return &kernel.Tensor{Type: op.Type{DType: op.F32, Shape: shape}, Width: 1, Shape: []int{1024, 1024}, Data: x}
	}
	spec, _ := op.Lookup(op.Relu)
	registry, err := kernel.NewRegistry(d.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	relu, err := registry.Pick(op.Relu, []op.Type{tensor().Type}, nil)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := relu.Bind(&kernel.Call{Spec: spec, In: []*kernel.Tensor{tensor()}, Out: []*kernel.Tensor{tensor()}})
	if err != nil {
		t.Fatal(err)
	}
	d.timeout = 1  // nanosecond
	for range 50 { // the machine may be so busy that the work is done before the wait
		if err = runner.Run(); err != nil {
			break
		}
	}
	if again := runner.Run(); !errors.Is(err, vk.ErrTimeout) || !errors.Is(again, vk.ErrTimeout) {
		t.Errorf("%v, then %v", err, again)
	}
}

// A timed recording says how long each stage took; a long one is submitted in
// pieces, and does not begin with a context that has ended.
func TestTimesAndChunks(t *testing.T) {
	d := open(t)
	const n = 5
	buffer, err := d.Allocate((n+1)*4096, gpu.Local)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Upload(gpu.Span{Buffer: buffer, Size: 4}, []byte{0, 0, 0x80, 0x3f}); err != nil {
		t.Fatal(err)
	}
	var stages []gpu.Stage
	for i := range n { // each doubles what the one before left
		from, to := gpu.Span{Buffer: buffer, Offset: int64(4096 * i), Size: 4}, gpu.Span{Buffer: buffer, Offset: int64(4096 * (i + 1)), Size: 4}
		stages = append(stages, gpu.Stage{
			Kernel: kernelNamed("elementwise"), Constants: []uint32{0}, Spans: []gpu.Span{from, from, to}, Work: chunkWork * 0.4,
			Extents: func(words []uint32) int {
				words[0], words[1], words[2] = 1, 1, 1
				return 1
			},
		})
	}
	r, err := d.newRecording(stages, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.chunks) != 3 {
		t.Errorf("%d chunks", len(r.chunks))
	}
	for range 2 {
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		seconds := make([]float64, n)
		if err := r.StageTimes(seconds); err != nil {
			t.Fatal(err)
		}
		for i, s := range seconds {
			if !(s >= 0 && s < 60) {
				t.Errorf("stage %d took %g s", i, s)
			}
		}
	}
	got := make([]byte, 4)
	if err := d.Download(got, stages[n-1].Spans[2]); err != nil {
		t.Fatal(err)
	}
	if math.Float32frombits(binary.LittleEndian.Uint32(got)) != 32 {
		t.Errorf("% x", got)
	}
	cut, err := d.newRecording(stages, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := cut.Run(&endingContext{t.Context(), 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := cut.StageTimes(make([]float64, n)); err == nil {
		t.Error("the times of stages that were not run")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := r.Run(t.Context()); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// endingContext is cancelled once it has been looked at so many times.
type endingContext struct {
	context.Context
	looks int
}

func (c *endingContext) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

// kernelNamed finds a kernel of the table.
func kernelNamed(name string) gpu.Kernel {
	for _, k := range gpu.KernelList() {
		if k.Name == name {
			return k
		}
	}
	return gpu.Kernel{}
}

// A device without enough memory says so in kernels/gpu's words, by which a
// session falls back to the CPU.
func TestTooLittleMemory(t *testing.T) {
	open(t)
	d, err := Open(Options{}) // the validation layer objects to the size itself
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if b, err := d.Allocate(1<<45, gpu.Local); !errors.Is(err, gpu.ErrMemory) {
		t.Errorf("%v, %v", b, err)
	}
	for bytes, want := range map[int64]error{64: vk.ErrUnusable, d.limits.BufferBytes + 4: gpu.ErrTooLarge} {
		b, err := d.Allocate(bytes, gpu.Local)
		if err != nil {
			t.Skip(err)
		}
		long := gpu.Span{Buffer: b, Size: d.limits.BufferBytes + 4}
		if _, err := d.Record([]gpu.Stage{{
			Kernel: kernelNamed("slice"), Spans: []gpu.Span{long, long}, Extents: func([]uint32) int { return 0 },
		}}); !errors.Is(err, want) {
			t.Errorf("a span of %d bytes in a buffer of %d: %v", long.Size, bytes, err)
		}
	}
}

// What the host sees past its caches is copied by the device, unless it is little.
func TestUncachedMemory(t *testing.T) {
	d := open(t)
	b, err := d.Allocate(64<<10, gpu.Local)
	if err != nil {
		t.Fatal(err)
	}
	buffer := b.(*vk.Buffer)
	if buffer.Bytes == nil {
		t.Skip("the memory is not mapped")
	}
	buffer.Cached = false
	data := make([]byte, 32<<10)
	for i := range data {
		data[i] = byte(i * i >> 5)
	}
	if err := d.Upload(gpu.Span{Buffer: b, Offset: gpu.Alignment, Size: int64(len(data))}, data); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{100, fewBytes, fewBytes + 1, len(data)} {
		got := make([]byte, len(data))
		if err := d.Download(got[:n], gpu.Span{Buffer: b, Offset: gpu.Alignment, Size: int64(n)}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got[:n], data[:n]) || (d.Staging() > 0) != (n > fewBytes) {
			t.Errorf("%d bytes: other bytes came back, or %d bytes of staging", n, d.Staging())
		}
	}
}

// What the host does not see is copied piece by piece.
func TestStaging(t *testing.T) {
	d := open(t)
	d.staged = true
	b, err := d.Allocate(3*stagingBytes, gpu.Local)
	if err != nil {
		t.Fatal(err)
	}
	data, got := make([]byte, 2*stagingBytes+12), make([]byte, 2*stagingBytes+12)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	span := gpu.Span{Buffer: b, Offset: gpu.Alignment, Size: int64(len(data))}
	if err := d.Upload(span, data); err != nil {
		t.Fatal(err)
	}
	if err := d.Download(got, span); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, got) {
		t.Error("other bytes came back")
	}
	if b.(*vk.Buffer).Bytes != nil {
		t.Error("the memory is mapped")
	}
}

// Ops are right where the host sees nothing of the device's own memory, as with a
// card's: weights, slots and large outputs are copied by the device.
func TestStagedSuite(t *testing.T) {
	d := openWith(t, Options{Staged: true})
	for o, parts := range map[string]int{"gather": 61, "linear": 397, "update": 31} {
		list := examine(t, d, o, 3, parts).Results
		for _, r := range list {
			if !r.Pass {
				t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
			}
		}
		if len(list) == 0 {
			t.Errorf("%s: no cases", o)
		}
	}
	if d.Staging() == 0 {
		t.Error("nothing was staged")
	}
}
