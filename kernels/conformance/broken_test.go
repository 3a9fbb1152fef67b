package conformance

import (
	"errors"
	"math"
	"strings"
	"testing"

	"zeroth/kernels/ref"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// broken is a kernel made by spoiling the plain one: prepare runs when it is
// bound, and spoil after each run.
type broken struct {
	name string
	id   op.ID
	// prepare may return a function to run after each run of the plain kernel.
	prepare func(c *kernel.Call) (spoil func())
	bind    func(c *kernel.Call) (kernel.Runner, error)
	scratch func(c *kernel.Call) int
	want    string // in the message of at least one case
}

type runnerFunc func() error

func (f runnerFunc) Run() error { return f() }

func (b broken) kernel() kernel.Kernel {
	k := kernel.Kernel{Op: b.id, Name: "broken", Cost: 1, Bind: b.bind, Scratch: b.scratch}
	if b.bind != nil {
		return k
	}
	k.Bind = func(c *kernel.Call) (kernel.Runner, error) {
		for _, plain := range ref.Kernels() {
			if plain.Op != b.id {
				continue
			}
			r, err := plain.Bind(c)
			if err != nil {
				return nil, err
			}
			spoil := b.prepare(c)
			return runnerFunc(func() error {
				err := r.Run()
				spoil()
				return err
			}), nil
		}
		return nil, errors.New("no plain kernel")
	}
	return k
}

// last is the last element of the first copy of a tensor's run, or nil.
func last(t *kernel.Tensor) *float32 {
	if n := t.Elements(); n > 0 {
		return &t.F32()[n-1]
	}
	return nil
}

// beyond is the first word past the elements of a run, inside the storage or
// in the guard behind it.
func beyond(t *kernel.Tensor) *float32 {
	n := t.Width * t.Elements()
	data := t.Data[:len(t.Data):len(t.Data)]
	if 4*n < len(data) {
		return &t.F32()[n]
	}
	return outside(t, n)
}

// eachRun spoils an element after each run.
func eachRun(pick func(c *kernel.Call) *float32, change func(*float32)) func(*kernel.Call) func() {
	return func(c *kernel.Call) func() {
		return func() {
			if v := pick(c); v != nil {
				change(v)
			}
		}
	}
}

func lastOut(c *kernel.Call) *float32 { return last(c.Out[0]) }

func brokenKernels() []broken {
	slightly := func(v *float32) { *v += 1e-3 }
	bit := func(v *float32) { *v = math.Float32frombits(math.Float32bits(*v) ^ 1) }
	list := []broken{
		{name: "wrong result", id: op.Linear, prepare: eachRun(lastOut, slightly), want: "NMSE"},
		{name: "wrong bit in a moved value", id: op.Gather, prepare: eachRun(lastOut, bit), want: "result 0: element"},
		{
			name: "wrong bit in an update", id: op.UpdateLoRA, want: "result 0: element",
			prepare: eachRun(func(c *kernel.Call) *float32 { return last(c.In[0]) }, bit),
		},
		{
			name: "hidden NaN", id: op.SwiGLU, want: "want NaN",
			prepare: func(c *kernel.Call) func() {
				return func() {
					for i, v := range c.Out[0].F32() {
						if v != v && i < c.Out[0].Width*c.Out[0].Elements() {
							c.Out[0].F32()[i] = 0
						}
					}
				}
			},
		},
		{
			name: "write past an output", id: op.Add, want: "outside of output 0",
			prepare: eachRun(func(c *kernel.Call) *float32 { return beyond(c.Out[0]) }, func(v *float32) { *v = 0 }),
		},
		{
			name: "write before an output", id: op.Add, want: "outside of output 0: byte -4",
			prepare: eachRun(func(c *kernel.Call) *float32 { return outside(c.Out[0], -1) }, func(v *float32) { *v = 0 }),
		},
		{
			name: "write past a slot", id: op.UpdateLoRA, want: "outside of input 0",
			prepare: eachRun(func(c *kernel.Call) *float32 { return outside(c.In[0], c.In[0].Elements()) }, func(v *float32) { *v = 0 }),
		},
		{
			name: "changed input", id: op.Attention, want: "input 1 (k) was changed",
			prepare: eachRun(func(c *kernel.Call) *float32 { return last(c.In[1]) }, slightly),
		},
		{
			name: "changed weight", id: op.LinearLoRA, want: "input 1 (W) was changed",
			prepare: eachRun(func(c *kernel.Call) *float32 { return last(c.In[1]) }, slightly),
		},
		{
			name: "result of the number of workers", id: op.WeightedSum, want: "workers instead of 1",
			prepare: func(c *kernel.Call) func() {
				return func() { c.Out[0].F32()[0] += 1e-7 * float32(c.Pool.Workers()-1) }
			},
		},
		{
			name: "allocation", id: op.WeightedSum, want: "allocations in a run",
			prepare: func(*kernel.Call) func() {
				var kept []byte
				return func() { kept = make([]byte, 64+len(kept)%2) }
			},
		},
		{
			name: "panic", id: op.ChoiceLoss, want: "panic: runtime error",
			prepare: func(c *kernel.Call) func() {
				return func() { _ = c.Out[c.Out[0].Width] }
			},
		},
		{
			name: "failed run", id: op.ChoiceLoss, want: "device lost",
			bind: func(*kernel.Call) (kernel.Runner, error) {
				return runnerFunc(func() error { return errors.New("device lost") }), nil
			},
		},
		{
			name: "failed binding", id: op.ChoiceLoss, want: "binding: too large",
			bind: func(*kernel.Call) (kernel.Runner, error) { return nil, errors.New("too large") },
		},
		{
			name: "short scratch", id: op.ChoiceLoss, want: "outside of the scratch",
			scratch: func(*kernel.Call) int { return 64 },
			prepare: func(c *kernel.Call) func() {
				return func() { *outsideBytes(c.Scratch, 16) = 1 }
			},
		},
	}
	return append(list, brokenFromScratch()...)
}

// brokenFromScratch are kernels whose mistake lies in how they compute.
func brokenFromScratch() []broken {
	return []broken{
		{
			name: "last element not written", id: op.Add, want: "was not written",
			bind: func(c *kernel.Call) (kernel.Runner, error) {
				return runnerFunc(func() error {
					addCopies(c, func(n int) int { return n - 1 })
					return nil
				}), nil
			},
		},
		{
			name: "extents of binding", id: op.Add, want: "",
			bind: func(c *kernel.Call) (kernel.Runner, error) {
				bound := c.Out[0].Elements()
				return runnerFunc(func() error {
					addCopies(c, func(int) int { return bound })
					return nil
				}), nil
			},
		},
		{
			name: "not in place", id: op.SwiGLU, want: "in place",
			bind: func(c *kernel.Call) (kernel.Runner, error) {
				plain, err := ref.Kernels()[6].Bind(c)
				if err != nil {
					return nil, err
				}
				return runnerFunc(func() error {
					clear(c.Out[0].F32()[:c.Out[0].Width*c.Out[0].Elements()])
					return plain.Run()
				}), nil
			},
		},
		{
			name: "state of the run before", id: op.WeightedSum, want: "R=",
			bind: func(c *kernel.Call) (kernel.Runner, error) {
				plain, err := ref.Kernels()[9].Bind(c)
				if err != nil {
					return nil, err
				}
				carried := float32(0)
				return runnerFunc(func() error {
					err := plain.Run()
					c.Out[0].F32()[0] += carried
					carried += 0.5
					return err
				}), nil
			},
		},
	}
}

func addCopies(c *kernel.Call, count func(elements int) int) {
	for p := range c.Out[0].Width {
		a, b, y := c.In[0].Copy(p), c.In[1].Copy(p), c.Out[0].Copy(p)
		for i := range count(len(y)) {
			y[i] = a[i] + b[i]
		}
	}
}

func TestBrokenKernelsAreCaught(t *testing.T) {
	for _, b := range brokenKernels() {
		t.Run(b.name, func(t *testing.T) {
			options := Options{Op: b.id.String()}
			if b.name == "allocation" {
				options.Allocations = testing.AllocsPerRun
			}
			report := examined(t, registry(t, b.kernel()), options)
			caught := 0
			for _, r := range report.Failed() {
				if r.Kernel != "broken" {
					t.Fatalf("%s %s failed with %s: %s", r.Op, r.Case, r.Kernel, r.Message)
				}
				if strings.Contains(r.Message, b.want) {
					caught++
				}
			}
			if caught == 0 {
				t.Errorf("no case of %d says %q; failed: %d", len(report.Results), b.want, len(report.Failed()))
				for i, r := range report.Failed() {
					if i < 3 {
						t.Logf("%s: %s", r.Case, r.Message)
					}
				}
			}
		})
	}
}
