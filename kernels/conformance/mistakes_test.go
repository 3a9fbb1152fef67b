package conformance

import (
	"slices"
	"testing"

	"zeroth/kernels/ref"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// altered is a kernel that computes the right op with one wrong input or
// attribute, as a kernel does that forgets or confuses it.
func altered(id op.ID, alter func(c *kernel.Call)) kernel.Kernel {
	return kernel.Kernel{Op: id, Name: "altered", Cost: 1, Bind: func(c *kernel.Call) (kernel.Runner, error) {
		other := *c
		other.In, other.Attrs = slices.Clone(c.In), slices.Clone(c.Attrs)
		alter(&other)
		i := slices.IndexFunc(ref.Kernels(), func(k kernel.Kernel) bool { return k.Op == id })
		return ref.Kernels()[i].Bind(&other)
	}}
}

// word0 replaces input i by a tensor of one zero element.
func word0(i int) func(*kernel.Call) {
	return func(c *kernel.Call) {
		t := *c.In[i]
		t.Data = make([]byte, 4)
		c.In[i] = &t
	}
}

func attr(name string, change func(int64) int64) func(*kernel.Call) {
	return func(c *kernel.Call) {
		for i := range c.Attrs {
			if c.Attrs[i].Name == name {
				c.Attrs[i].I = change(c.Attrs[i].I)
			}
		}
	}
}

func flip(v int64) int64 { return 1 - v }

func TestMistakesAreCaught(t *testing.T) {
	for _, m := range []struct {
		name  string
		id    op.ID
		alter func(*kernel.Call)
	}{
		{"first ignored", op.LinearLoRA, word0(5)},
		{"eps ignored", op.LinearLoRA, word0(6)},
		{"site confused", op.LinearLoRA, attr("site", func(v int64) int64 { return v ^ 1 })},
		{"site cut to 16 bits", op.LinearLoRA, attr("site", func(v int64) int64 { return v & 0xffff })},
		{"sampler confused", op.LinearLoRA, attr("sampler", func(v int64) int64 { return 3 - v })},
		{"bias ignored", op.LinearLoRA, func(c *kernel.Call) { c.In = c.In[:7] }},
		{"bias ignored", op.Linear, func(c *kernel.Call) { c.In = c.In[:2] }},
		{"site cut to 16 bits", op.UpdateLoRA, attr("site", func(v int64) int64 { return v & 0xffff })},
		{"sampler confused", op.UpdateLoRA, attr("sampler", func(v int64) int64 { return 3 - v })},
		{"lr ignored", op.UpdateLoRA, word0(3)},
		{"pairs confused", op.RotaryEmbedding, attr("interleaved", flip)},
		{"mask confused", op.Attention, attr("causal", flip)},
		{"mean confused", op.ChoiceLoss, attr("mean", flip)},
		{"layout ignored", op.Linear, func(c *kernel.Call) {
			w := *c.In[1]
			w.Type.Layout = op.Rows
			c.In[1] = &w
		}},
		{"first copy for all", op.SwiGLU, func(c *kernel.Call) {
			up := *c.In[1]
			up.Width = 1
			c.In[1] = &up
		}},
	} {
		t.Run(m.id.String()+" "+m.name, func(t *testing.T) {
			report := examined(t, registry(t, altered(m.id, m.alter)), Options{Op: m.id.String(), Workers: []int{1}})
			if len(report.Failed()) == 0 {
				t.Errorf("all %d cases passed", len(report.Results))
			}
		})
	}
}
