package conformance

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"zeroth/internal/half"
	"zeroth/kernels/ref"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// inHalf is the plain kernel of an op as one that keeps activations as f16: it rounds
// what it reads by one function and what it gives by another, element by element of n.
func inHalf(id op.ID, read func(v float32) float32, give func(v float32, i, n int) float32) kernel.Kernel {
	k := kernel.Kernel{Op: id, Name: "half", Cost: 1, Half: kernel.Operands{In: 1, Out: 1}}
	if id == op.Add || id == op.SwiGLU {
		k.Half.In = 3
	}
	k.Bind = func(c *kernel.Call) (kernel.Runner, error) {
		other := *c
		other.In = append([]*kernel.Tensor(nil), c.In...)
		for i, t := range c.In {
			if kernel.KeepsHalf(k.Half.In, i, t.Type) && !t.Constant {
				copied := *t
				copied.Data = newStorage(len(t.Data)).data
				other.In[i] = &copied
			}
		}
		r, err := plainKernel(id).Bind(&other)
		if err != nil {
			return nil, err
		}
		return runnerFunc(func() error {
			for i, t := range other.In {
				if t != c.In[i] {
					t.Width, t.Shape = c.In[i].Width, c.In[i].Shape
					for e, v := range c.In[i].F32()[:t.Width*t.Elements()] {
						t.F32()[e] = read(v)
					}
				}
			}
			if err := r.Run(); err != nil {
				return err
			}
			y := c.Out[0].F32()[:c.Out[0].Width*c.Out[0].Elements()]
			for i, v := range y {
				y[i] = give(v, i, len(y))
			}
			return nil
		}), nil
	}
	return k
}

func plainKernel(id op.ID) kernel.Kernel {
	for _, k := range ref.Kernels() {
		if k.Op == id {
			return k
		}
	}
	panic("no plain kernel")
}

func giveRounded(v float32, _, _ int) float32 { return half.Round(v) }

// halves are ops of each kind: moved, added, multiplied, normalised, curved.
var halves = []op.ID{op.Gather, op.Slice, op.Add, op.Linear, op.LinearLoRA, op.RMSNormalization, op.RotaryEmbedding, op.SwiGLU}

// casesInHalf are all that a kernel in f16 is examined with, those for it alone first.
var casesInHalf = sync.OnceValue(func() []Case { return slices.Concat(halfCases(), Cases()) })

// judged runs the cases of a kernel's op that are for f16 alone, and some of the others,
// and returns what came of them.
func judged(t *testing.T, k kernel.Kernel) []Result {
	t.Helper()
	s := suite{}
	if err := s.open([]int{1}); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	every := 3
	if k.Op == op.Linear || k.Op == op.LinearLoRA {
		every = 31
	}
	var results []Result
	n := 0
	for _, c := range casesInHalf() {
		if c.Op != k.Op {
			continue
		}
		if n++; c.onlyHalf || n%every == 0 || strings.Contains(c.Name, "large x") {
			worst, err := s.judge(&c, &k, &want{})
			results = append(results, c.result(k.Name, worst, err))
		}
	}
	return results
}

// A kernel that rounds as it must passes, with results as near as in f32.
func TestKernelsInHalfPass(t *testing.T) {
	for _, id := range halves {
		results := judged(t, inHalf(id, half.Round, giveRounded))
		if len(results) < 5 {
			t.Errorf("%d cases of %s", len(results), id)
		}
		for _, r := range results {
			if !r.Pass || r.NMSE != 0 {
				t.Errorf("%s %s: NMSE %g: %s", r.Op, r.Case, r.NMSE, r.Message)
			}
		}
	}
}

// The cases for f16 are passed over where no kernel keeps activations so.
func TestHalfCasesAreForHalf(t *testing.T) {
	only := 0
	for _, c := range halfCases() {
		if c.Op == op.Add {
			only++
		}
	}
	o := Options{Op: "add", Workers: []int{1}}
	f32, f16 := examined(t, registry(t), o), examined(t, registry(t, inHalf(op.Add, half.Round, giveRounded)), o)
	if only == 0 || len(f16.Results)-len(f32.Results) != only || len(f16.Failed()) > 0 {
		t.Errorf("%d cases in f32, %d in f16, %d for that alone; failed: %v", len(f32.Results), len(f16.Results), only, f16.Failed())
	}
}

func TestMistakesInHalfAreCaught(t *testing.T) {
	truncate := func(v float32) float32 {
		h := half.Round(v)
		if math.Abs(float64(h)) > math.Abs(float64(v)) {
			h = half.ToFloat(half.FromFloat(h) - 1)
		}
		return h
	}
	away := func(v float32) float32 { // ties away from zero
		bits := math.Float32bits(v)
		if h := half.Round(math.Float32frombits(bits + 1)); bits&0x1fff == 0x1000 && bits&0x7f800000 < 143<<23 && bits&0x7f800000 >= 113<<23 {
			return h
		}
		return half.Round(v)
	}
	saturate := func(v float32) float32 {
		if h := half.Round(v); math.IsInf(float64(h), 0) && !math.IsInf(float64(v), 0) {
			return float32(math.Copysign(largestHalf, float64(v)))
		}
		return half.Round(v)
	}
	flush := func(v float32) float32 {
		if h := half.Round(v); h > -0x1p-14 && h < 0x1p-14 {
			return 0
		}
		return half.Round(v)
	}
	each := func(f func(float32) float32) func(v float32, i, n int) float32 {
		return func(v float32, _, _ int) float32 { return f(v) }
	}
	oddLast := func(v float32, i, n int) float32 {
		if n%2 == 1 && i == n-1 {
			return 0
		}
		return half.Round(v)
	}
	identity := func(v float32) float32 { return v }
	computed := []op.ID{op.Add, op.Linear, op.LinearLoRA, op.RMSNormalization, op.SwiGLU}
	made := append([]op.ID{op.Gather}, computed...)
	for _, m := range []struct {
		name string
		read func(float32) float32
		give func(v float32, i, n int) float32
		ops  []op.ID
	}{
		{"results not rounded", half.Round, each(identity), made},
		{"results cut off", half.Round, each(truncate), made},
		{"results in the middle rounded away from zero", half.Round, each(away), made[:2]},
		{"results beyond f16 become the largest", half.Round, each(saturate), made},
		{"subnormal results become zero", half.Round, each(flush), made},
		{"an odd last element is lost", half.Round, oddLast, made},
		{"inputs not rounded", identity, giveRounded, computed},
		{"inputs cut off", truncate, giveRounded, append(computed, op.Slice)},
		{"inputs in the middle rounded away from zero", away, giveRounded, []op.ID{op.Slice, op.Gather}},
		{"subnormal inputs become zero", flush, giveRounded, []op.ID{op.Slice, op.Gather, op.Add}},
		{"inputs beyond f16 become the largest", saturate, giveRounded, []op.ID{op.Slice, op.Gather, op.Add, op.Linear, op.SwiGLU}},
	} {
		for _, id := range m.ops {
			results := judged(t, inHalf(id, m.read, m.give))
			if !slices.ContainsFunc(results, func(r Result) bool { return !r.Pass }) {
				t.Errorf("%s: all %d cases of %s passed", m.name, len(results), id)
			}
		}
	}
}

// What rounds to a f16 is what nearestSource takes for its source, and nothing else.
func TestNearestSource(t *testing.T) {
	for all := range 1 << 16 {
		h := half.ToFloat(uint16(all))
		if h != h {
			continue
		}
		for _, v := range []float32{h, 0, 1, -1, 1e-7, 65519, 65521, -1e30, 1e-30} {
			s := nearestSource(h, v)
			if inside := half.Round(v) == h; inside != (s == v) && half.Round(s) == h {
				t.Fatalf("%g for %g: nearest is %g", h, v, s)
			}
			// s rounds to h, or lies in the middle between it and a neighbour.
			if near := math.Abs(float64(math.Nextafter32(s, h))); half.Round(s) != h && half.Round(float32(math.Copysign(near, float64(h)))) != h {
				t.Fatalf("%g for %g: %g does not round to it", h, v, s)
			}
		}
	}
}
