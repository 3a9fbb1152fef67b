package conformance

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Case is one node: an op, its attributes and input types, how the inputs'
// values are made, and how near a kernel must come to the plain one.
type Case struct {
	Op     op.ID
	Name   string // unique within the op
	Attrs  op.Attrs
	In     []Input
	Bounds op.Extents // the node is bound for these and run at Rounds()
	// Limit is the largest allowed normalised mean squared error
	// Σ(a−b)² / max(Σb², n·Scale²) over the n finite elements of an output; 0
	// demands equal bits (any NaN equals any NaN).
	Limit float64
	// Scale is the size of the terms that an element is the sum of. An element
	// that happens to be smaller by cancellation cannot be more precise.
	Scale float64
	// NonFiniteAlike takes NaN and the infinities for one: the result must be
	// one of them where the plain kernel's is.
	NonFiniteAlike bool
	// onlyHalf cases are for kernels that keep activations as f16 (halfCases).
	onlyHalf bool
}

// Input is one input of a case. Index inputs need no values: they follow from
// the op's index rule.
type Input struct {
	Type op.Type
	// Constant inputs are filled once, before the node is bound, as a
	// program's constants are. All others get new values for each run.
	Constant bool
	// Float gives an f32 input's element [row, column] of a copy; row is 0 in
	// rank 1. Nil means standard normal values.
	Float Float
	// Integer gives element i of an integer input without an index rule.
	Integer Integer
}

// Float makes an element of an f32 input.
type Float func(rng *rand.Rand, row, column int) float32

// Integer makes an element of an i32 or u32 input.
type Integer func(rng *rand.Rand, i int) uint32

// Types are the types of the case's inputs.
func (c *Case) Types() []op.Type {
	types := make([]op.Type, len(c.In))
	for i := range c.In {
		types[i] = c.In[i].Type
	}
	return types
}

// Exact reports whether the case demands equal bits.
func (c *Case) Exact() bool { return c.Limit == 0 }

// Rounds are the extents at which the node is run, in order: the bounds, half
// of them, ones, zeros, and the bounds again.
func (c *Case) Rounds() []op.Extents {
	b := c.Bounds
	rounds := []op.Extents{b}
	for _, f := range []func(int) int{
		func(n int) int { return (n + 1) / 2 },
		func(n int) int { return min(n, 1) },
		func(int) int { return 0 },
	} {
		e := op.Extents{Width: max(f(b.Width), 1), N: f(b.N), S: f(b.S), R: f(b.R), K: f(b.K), G: f(b.G), Q: f(b.Q)}
		if e != rounds[len(rounds)-1] {
			rounds = append(rounds, e)
		}
	}
	if len(rounds) > 1 {
		rounds = append(rounds, b)
	}
	return rounds
}

// describe prints the extents that are not zero: "P=3 N=17".
func describe(e op.Extents) string {
	var b strings.Builder
	for i, v := range [...]int{e.Width, e.N, e.S, e.R, e.K, e.G, e.Q} {
		if v != 0 {
			fmt.Fprintf(&b, " %s=%d", "PNSRKGQ"[i:i+1], v)
		}
	}
	return strings.TrimSpace(b.String())
}

// random is the source of input i's values in a round; constants have round −1.
func (c *Case) random(round, i int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%s/%d", c.Op, c.Name, i)
	return rand.New(rand.NewPCG(h.Sum64(), uint64(round+1)))
}

// Fill writes the values of input i for a round into its tensor, which has the
// extents of the round. The inputs before it are filled already. The rest of
// the storage is left as it is, except the padding of panels, which is zeroed.
func (c *Case) Fill(in []*kernel.Tensor, i, round int) error {
	t, input := in[i], &c.In[i]
	if input.Constant {
		round = -1
	}
	rng := c.random(round, i)
	spec, _ := op.Lookup(c.Op)
	switch {
	case spec.Inputs[i].Index != nil:
		return fillIndex(rng, spec, in, i)
	case t.Type.DType.Weight():
		return fillFloats(rng, input.Float, t)
	default:
		values := t.U32()
		for j := range values {
			values[j] = input.Integer(rng, j)
		}
	}
	return nil
}
