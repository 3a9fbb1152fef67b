package cl

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// device opens the first usable device, or skips.
func device(t *testing.T) *Device {
	t.Helper()
	list, err := Devices()
	if errors.Is(err, ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.Unusable != "" {
			continue
		}
		d, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	t.Skip("no usable device")
	return nil
}

func TestDevices(t *testing.T) {
	list, err := Devices()
	if errors.Is(err, ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		t.Logf("%+v", *p)
		if p.Name == "" || p.Platform == "" || p.Driver == "" || p.Memory == 0 || !strings.HasPrefix(p.Version, "OpenCL ") {
			t.Errorf("incomplete: %+v", *p)
		}
	}
}

const doubling = `__kernel __attribute__((reqd_work_group_size(128, 1, 1)))
void doubling(__global uint *x, const uint from, const uint n) {
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) x[from + i] = BY * x[from + i];
}
`

func TestRun(t *testing.T) {
	d := device(t)
	program, err := d.Build(doubling, "-cl-std=CL1.2 -D BY=3")
	if err != nil {
		t.Fatal(err)
	}
	binary, err := program.Binary()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := d.Load(binary, "-cl-std=CL1.2 -D BY=3")
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.NewBuffer(4000)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 4000)
	for i := range data {
		data[i] = byte(i % 64)
	}
	if err := b.Write(0, data, time.Minute); err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(data)
	for _, p := range []*Program{program, loaded} {
		k, err := p.NewKernel("doubling", 128)
		if err != nil {
			t.Fatal(err)
		}
		p.Free()
		if err := errors.Join(k.SetBuffer(0, b), k.SetWords(1, 100), k.SetWords(2, 800), k.Enqueue(3, 128)); err != nil {
			t.Fatal(err)
		}
		event, err := d.Mark()
		if err != nil {
			t.Fatal(err)
		}
		if err := event.Wait(time.Minute); err != nil {
			t.Fatal(err)
		}
		for i := 400; i < 3600; i += 4 {
			word := uint32(want[i]) | uint32(want[i+1])<<8 | uint32(want[i+2])<<16 | uint32(want[i+3])<<24
			word *= 3
			want[i], want[i+1], want[i+2], want[i+3] = byte(word), byte(word>>8), byte(word>>16), byte(word>>24)
		}
		got := make([]byte, 3000)
		if err := b.Read(1000, got, time.Minute); err != nil || !bytes.Equal(got, want[1000:]) {
			t.Errorf("what was computed is wrong, or %v", err)
		}
		k.Free()
		k.Free()
	}
}

func TestBuildFailures(t *testing.T) {
	d := device(t)
	_, err := d.Build("__kernel void f(__global int *x) { x[0] = nosuchthing; }", "")
	if !errors.Is(err, ErrBuild) || !strings.Contains(err.Error(), "nosuchthing") {
		t.Errorf("%v", err)
	}
	for _, binary := range [][]byte{nil, []byte("no binary"), make([]byte, 4096)} {
		if _, err := d.Load(binary, ""); !errors.Is(err, ErrBuild) {
			t.Errorf("a binary of %d bytes: %v", len(binary), err)
		}
	}
	p, err := d.Build(doubling, "-D BY=2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.NewKernel("tripling", 128); !errors.Is(err, ErrBuild) {
		t.Errorf("no such kernel: %v", err)
	}
	k, err := p.NewKernel("doubling", 128)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.SetWords(9, 1); !errors.Is(err, invalidArgIndex) {
		t.Errorf("argument 9: %v", err)
	}
	if err := k.SetWords(1, 1, 2); !errors.Is(err, invalidArgSize) {
		t.Errorf("two words for one: %v", err)
	}
	if err := k.Enqueue(1, 128); err == nil {
		t.Error("ran without arguments")
	}
}

func TestBuffers(t *testing.T) {
	d := device(t)
	for _, size := range []int64{0, -1, d.Physical.Limits.AllocationBytes + 1, 1 << 62} {
		if _, err := d.NewBuffer(size); !errors.Is(err, ErrMemory) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	b, err := d.NewBuffer(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		offset int64
		n      int
	}{{-1, 10}, {91, 10}, {0, 101}, {1 << 62, 1}} {
		if err := b.Write(c.offset, make([]byte, c.n), time.Minute); !errors.Is(err, ErrUnusable) {
			t.Errorf("%d bytes at %d: %v", c.n, c.offset, err)
		}
	}
	if err := b.Read(100, nil, time.Minute); err != nil {
		t.Error(err)
	}
	b.Free()
	b.Free()
}

// After a device was lost, nothing is run; after one fell silent, nothing that
// it may use is freed either.
func TestBrokenDevice(t *testing.T) {
	d := device(t)
	b, err := d.NewBuffer(100)
	if err != nil {
		t.Fatal(err)
	}
	freed := 0
	for _, kind := range []error{ErrLost, ErrTimeout} {
		broken := d.failed(fmt.Errorf("in a test: %w", kind))
		_, err := d.Mark()
		for _, err := range []error{err, b.Write(0, make([]byte, 1), time.Minute), (&Kernel{device: d}).Enqueue(1, 128), d.Broken()} {
			if !errors.Is(err, kind) || !errors.Is(err, broken) {
				t.Errorf("%v: %v", kind, err)
			}
		}
		o := &Buffer{device: d}
		d.owner.Keep(o, func() { freed++ })
		o.Free()
	}
	if freed != 1 {
		t.Errorf("%d buffers freed, want that of the lost device alone", freed)
	}
	if d.Close() {
		t.Error("a device that does not answer was closed")
	}
	d.owner.Break(nil, false) // so that this one is
}

// spinning gives a device a buffer of a word and work that takes a while over it.
func spinning(t *testing.T) (*Device, *Buffer, func() Event) {
	t.Helper()
	d := device(t)
	p, err := d.Build(`__kernel void spin(__global volatile uint *x, const uint n) {
	  for (uint i = 0; i < n; i++) x[0] = x[0] * 5u + i;
	}`, "")
	if err != nil {
		t.Fatal(err)
	}
	k, err := p.NewKernel("spin", 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.NewBuffer(4)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(k.SetBuffer(0, b), k.SetWords(1, 200e6)); err != nil {
		t.Fatal(err)
	}
	return d, b, func() Event {
		if err := k.Enqueue(1, 1); err != nil {
			t.Fatal(err)
		}
		event, err := d.Mark()
		if err != nil {
			t.Fatal(err)
		}
		return event
	}
}

// A wait ends after its time.
func TestTimeout(t *testing.T) {
	d, _, start := spinning(t)
	event := start()
	if err := event.Wait(time.Millisecond); !errors.Is(err, ErrTimeout) || !errors.Is(d.Broken(), ErrTimeout) {
		t.Errorf("%v", err)
	}
	d.owner.Break(nil, false)
	if err := event.Wait(time.Minute); err != nil {
		t.Error(err)
	}
}

// So does a copy, and what the device copies afterwards reaches nobody.
func TestCopyTimeout(t *testing.T) {
	d, b, start := spinning(t)
	for name, transfer := range map[string]func(int64, []byte, time.Duration) error{"read": b.Read, "write": b.Write} {
		event, data := start(), []byte{1, 2, 3, 4}
		if err := transfer(0, data, time.Millisecond); !errors.Is(err, ErrTimeout) || !errors.Is(d.Broken(), ErrTimeout) {
			t.Errorf("%s: %v", name, err)
		}
		if d.staging != nil {
			t.Errorf("%s: what the device may still use is used again", name)
		}
		d.owner.Break(nil, false)
		if err := event.Wait(time.Minute); err != nil {
			t.Error(err)
		}
		if err := b.Read(0, make([]byte, 4), time.Minute); err != nil { // behind the copy
			t.Error(err)
		}
		if !bytes.Equal(data, []byte{1, 2, 3, 4}) {
			t.Errorf("%s: %d was written when nobody waited", name, data)
		}
	}
}

// A copy of several pieces.
func TestLargeCopy(t *testing.T) {
	d := device(t)
	const size, from = 2*stagingBytes + 100, 12
	b, err := d.NewBuffer(from + size)
	if err != nil {
		t.Fatal(err)
	}
	data, got := make([]byte, size), make([]byte, size)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	if err := errors.Join(b.Write(from, data, time.Minute), b.Read(from, got, time.Minute)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("what comes back is not what was copied, or %v", err)
	}
}

// A description that falls short of what is needed says in what.
func TestUnusable(t *testing.T) {
	l := least
	if why := l.lacks(); why != "" {
		t.Errorf("nothing is missing: %q", why)
	}
	l.WorkGroupInvocations = 64
	if why := l.lacks(); why != "it allows 64 invocations of a work group, 128 are needed" {
		t.Errorf("%q", why)
	}
	for _, version := range []string{"", "OpenCL 1.1 FULL", "OpenGL 4.6", "OpenCL 0.9", "OpenCL x"} {
		if why := (&Physical{Version: version}).lacks(); !strings.Contains(why, "at least OpenCL 1.2") {
			t.Errorf("%q: %q", version, why)
		}
	}
	p := &Physical{Name: "a card", Unusable: "it is not available now"}
	if _, err := p.Open(); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "a card: it is not") {
		t.Errorf("%v", err)
	}
}

func TestStatus(t *testing.T) {
	for s, m := range meanings {
		if m.kind != nil && !errors.Is(check(s, "clSomething"), m.kind) || !strings.Contains(s.Error(), m.name) {
			t.Errorf("%s: %v", m.name, check(s, "clSomething"))
		}
	}
	if err := check(-77, "clSomething"); err == nil || !strings.Contains(err.Error(), "clSomething: status -77") {
		t.Errorf("%v", err)
	}
	if err := check(success, "clSomething"); err != nil {
		t.Error(err)
	}
}

// A compiler's log is shown line by line, not all of a long one.
func TestLog(t *testing.T) {
	if log := formatLog([]byte("one\x1b[2J\n\ntwo\x00three")); log != "\n  one?[2J\n  two" {
		t.Errorf("%q", log)
	}
	log := formatLog(bytes.Repeat([]byte("an error\n\n"), 10000))
	if len(log) > maxLog+100 || !strings.HasSuffix(log, "and more") {
		t.Errorf("a log of %d bytes ends with %q", len(log), log[len(log)-20:])
	}
}
