package opencl

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
)

// Each kernel that package gpu names has a source with the arguments that its
// entry says, and none is left over.
func TestKernelTable(t *testing.T) {
	used := make(map[string]bool)
	list := gpu.KernelList()
	for _, k := range gpu.VariantList() {
		if slices.Contains([]string{"round", "lineardot", "headdot"}, k.Name) {
			list = append(list, k)
		}
	}
	for _, k := range list {
		text, err := source(k.Name)
		if err != nil {
			t.Fatal(err)
		}
		used[k.Name+".cl"] = true
		own, err := sources.ReadFile("kernels/" + k.Name + ".cl")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(own)) {
			if name, found := strings.CutPrefix(line, "#include "); found {
				used[strings.Trim(strings.TrimSpace(name), `"`)] = true
			}
		}
		_, signature, found := strings.Cut(text, "KERNEL("+k.Name+")(")
		if !found {
			t.Errorf("%s.cl has no kernel %s", k.Name, k.Name)
			continue
		}
		signature, _, _ = strings.Cut(signature, "{")
		if n := strings.Count(signature, "IN(") + strings.Count(signature, "OUT("); n != k.Buffers {
			t.Errorf("%s has %d buffers, the table says %d", k.Name, n, k.Buffers)
		}
		for i, argument := range strings.SplitAfter(signature, "), ")[:k.Buffers] {
			if written := strings.HasPrefix(argument, "OUT("); written != (k.Writes>>i&1 != 0) {
				t.Errorf("%s: buffer %d is written: %v", k.Name, i, written)
			}
		}
		if strings.Contains(text, "#include") {
			t.Errorf("%s: not all is included", k.Name)
		}
		half := strings.Contains(signature, "(READ, ") || strings.Contains(signature, "(WRITTEN, ")
		if want := slices.ContainsFunc(gpu.HalfList(), func(h gpu.Kernel) bool { return h.Name == k.Name }); half != want {
			t.Errorf("%s has activations in f16: %v, the table says %v", k.Name, half, want)
		}
	}
	entries, err := sources.ReadDir("kernels")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !used[e.Name()] {
			t.Errorf("%s is used by nothing", e.Name())
		}
	}
}

// relu is a stage that takes its buffer to itself.
func relu(t *testing.T, d *Device, bytes int64) gpu.Stage {
	t.Helper()
	b, err := d.Allocate(bytes, gpu.Local)
	if err != nil {
		t.Fatal(err)
	}
	span := gpu.Span{Buffer: b, Size: bytes}
	s := gpu.Stage{Constants: []uint32{4}, Spans: []gpu.Span{span, span, span}, Extents: func(words []uint32) int {
		words[0], words[1], words[2] = uint32(bytes/4), uint32(bytes/4), uint32(bytes/4)
		return 1
	}}
	for _, k := range gpu.KernelList() {
		if k.Name == "elementwise" {
			s.Kernel = k
		}
	}
	return s
}

// What is built is kept; what is kept but damaged is built again.
func TestCache(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "kernels")
	for _, damage := range []func([]byte) []byte{
		func(b []byte) []byte { return b },
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { return b[:len(b)/2] },
		func([]byte) []byte { return nil },
	} {
		d := openWith(t, Options{Cache: folder})
		r, err := d.Record([]gpu.Stage{relu(t, d, 4096)})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Run(t.Context()); err != nil {
			t.Error(err)
		}
		files, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%q is kept, %v", files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		text, _ := source("elementwise")
		if _, ok := d.cache.read(text, buildOptions(d.Physical(), text, false, []uint32{4})); !ok {
			t.Error("what was kept is not found")
		}
		if _, ok := d.cache.read(text, "other options"); ok {
			t.Error("other options find it too")
		}
		if err := os.WriteFile(files[0], damage(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := openWith(t, Options{Cache: filepath.Join(folder, "no folder", "\x00")})
	if _, err := d.Record([]gpu.Stage{relu(t, d, 4096)}); err != nil {
		t.Errorf("without a cache: %v", err)
	}
}

// An intact file that the driver refuses is built again.
func TestCacheOfAnotherDriver(t *testing.T) {
	d := openWith(t, Options{Cache: t.TempDir()})
	text, err := source("elementwise")
	if err != nil {
		t.Fatal(err)
	}
	d.cache.write(text, buildOptions(d.Physical(), text, false, []uint32{4}), []byte("not of this driver"))
	if _, err := d.Record([]gpu.Stage{relu(t, d, 4096)}); err != nil {
		t.Error(err)
	}
}

// Beside a driver that keeps programs itself, nothing is kept unless a folder is
// given.
func TestCacheOfTheDriver(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for platform, want := range map[string]bool{"Portable Computing Language OpenCL 3.0 PoCL 3.1": false, "a driver": true} {
		p := &cl.Physical{Platform: platform}
		if c := newCache("", p); c.keeps() != want {
			t.Errorf("%s: kept in %q", platform, c.folder.Path)
		}
		if c := newCache("here", p); c.folder.Path != "here" {
			t.Errorf("%s: kept in %q", platform, c.folder.Path)
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

// What is too large is refused as such, and a buffer of nobody's too.
func TestRefusals(t *testing.T) {
	d := open(t)
	if _, err := d.Allocate(d.Physical().Limits.AllocationBytes+1, gpu.Local); !errors.Is(err, gpu.ErrMemory) {
		t.Errorf("%v", err)
	}
	s := relu(t, d, 4096)
	s.Spans = []gpu.Span{s.Spans[0], s.Spans[1], {Buffer: nil, Size: 4}}
	if _, err := d.Record([]gpu.Stage{s}); !errors.Is(err, cl.ErrUnusable) {
		t.Errorf("a buffer of no device: %v", err)
	}
	s.Spans[2] = gpu.Span{Buffer: s.Spans[0].Buffer, Size: d.Limits().BufferBytes + 1}
	if _, err := d.Record([]gpu.Stage{s}); !errors.Is(err, gpu.ErrTooLarge) {
		t.Errorf("a span longer than a kernel can address: %v", err)
	}
	s.Spans[2] = gpu.Span{Buffer: s.Spans[0].Buffer, Offset: 2, Size: 4}
	if _, err := d.Record([]gpu.Stage{s}); !errors.Is(err, cl.ErrUnusable) {
		t.Errorf("a span at byte 2: %v", err)
	}
}

// A run ends when its context is cancelled, between two batches.
func TestCancel(t *testing.T) {
	d := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	stages := make([]gpu.Stage, 3*batchStages)
	one, runs := relu(t, d, 4096), 0
	extents := one.Extents
	one.Extents = func(words []uint32) int {
		if runs++; runs == batchStages+1 {
			cancel()
		}
		return extents(words)
	}
	for i := range stages {
		stages[i] = one
	}
	r, err := d.Record(stages)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Free()
	r.(*recording).programs[0].ran = true
	if err := r.Run(ctx); !errors.Is(err, context.Canceled) || runs != 2*batchStages {
		t.Errorf("%v after %d stages", err, runs)
	}
	if err := r.Run(t.Context()); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// A run ends soon when its context is cancelled while the driver compiles kernels
// that it has not run before.
func TestCancelFirstRun(t *testing.T) {
	d := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stages, runs := make([]gpu.Stage, 5), 0
	for i := range stages {
		stages[i] = relu(t, d, 4096)
		stages[i].Constants = []uint32{uint32(i)} // another function
		extents := stages[i].Extents
		stages[i].Extents = func(words []uint32) int {
			runs++
			cancel()
			return extents(words)
		}
	}
	r, err := d.Record(stages)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Free()
	if err := r.Run(ctx); !errors.Is(err, context.Canceled) || runs != 1 {
		t.Errorf("%v after %d stages", err, runs)
	}
	if err := r.Run(t.Context()); err != nil || runs != 1+len(stages) {
		t.Errorf("%v after %d stages", err, runs)
	}
}

// A compiler that takes too long is named with its kernel.
func TestBuildTimeout(t *testing.T) {
	d := openWith(t, Options{BuildTimeout: 1, Cache: filepath.Join(t.TempDir(), "none kept")}) // nanosecond
	s := relu(t, d, 4096)
	err := d.Compile(t.Context(), s.Kernel, s.Constants)
	if !errors.Is(err, cl.ErrTimeout) || !strings.Contains(err.Error(), "kernel elementwise: device does not answer: it was not built within 1ns") {
		t.Errorf("%v", err)
	}
}

// The time of each stage is told, once it has been run.
func TestStageTimes(t *testing.T) {
	d := open(t)
	long, short, none := relu(t, d, 32<<20), relu(t, d, 4096), relu(t, d, 4096)
	none.Extents = func([]uint32) int { return 0 }
	stages := []gpu.Stage{short, long, none}
	r, err := d.RecordTimed(stages)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Free()
	seconds := make([]float64, len(stages))
	if err := r.StageTimes(seconds); !errors.Is(err, cl.ErrUnusable) {
		t.Errorf("before a run: %v", err)
	}
	for range 2 {
		begin := time.Now()
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		whole := time.Since(begin).Seconds()
		if err := r.StageTimes(seconds); err != nil {
			t.Fatal(err)
		}
		if !(seconds[0] > 0 && seconds[1] > seconds[0] && seconds[0]+seconds[1] <= whole) || seconds[2] != 0 {
			t.Errorf("stages took %g s, all of them %g s", seconds, whole)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := r.StageTimes(seconds); err == nil {
		t.Error("the times of a run that was not")
	}
	plain, err := d.newRecording(stages)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Free()
	if err := plain.StageTimes(seconds); !errors.Is(err, cl.ErrUnusable) {
		t.Errorf("of a recording without times: %v", err)
	}
}

// A device that does not answer in time is given up, with an error, at once and
// for all later runs.
func TestTimeout(t *testing.T) {
	d := open(t)
	d.timeout = 1 // nanosecond
	r, err := d.Record([]gpu.Stage{relu(t, d, 64<<20)})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 { // the machine may be so busy that the work is done before the wait
		if err = r.Run(t.Context()); err != nil {
			break
		}
	}
	if again := r.Run(t.Context()); !errors.Is(err, cl.ErrTimeout) || !errors.Is(again, cl.ErrTimeout) {
		t.Errorf("%v, then %v", err, again)
	}
	time.Sleep(100 * time.Millisecond) // PoCL's thread still works on what is not freed
}
