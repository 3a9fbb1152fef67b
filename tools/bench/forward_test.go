package bench

import (
	"context"
	"math"
	"slices"
	"testing"

	"zeroth/kernels/cpu"
	"zeroth/runtime/op"
)

func TestRunForward(t *testing.T) {
	p := reviews(t, nil)
	r, err := RunForward(context.Background(), ForwardOptions{
		Program: p, Bind: binder(t), Examples: Examples(2, 7, 7, 512), Features: cpu.Detect(),
		Progress: func(done, total int, what string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Sequences != 2 || r.Tokens != 14 || !(r.Seconds > 0 && r.TokensPerS > 0) {
		t.Errorf("the pass: %+v", r)
	}
	if len(r.Ceilings) != 1 || !(r.OfCeiling > 0 && r.OfCeiling < 1.5) { // the weights are f32
		t.Errorf("%g of the ceilings %v", r.OfCeiling, r.Ceilings)
	}
	if m := r.Memory; m.Weights <= 0 || m.Arena <= 0 || m.Slots != 0 {
		t.Errorf("memory: %+v", m)
	}
	if p.Method("update") == nil {
		t.Error("the program that was given has lost its LoRA")
	}
}

// TestForwardWork counts the operations of the pass by hand: weights and rows of
// each product, and the pairs of tokens that see each other.
func TestForwardWork(t *testing.T) {
	const sequences, tokens = 3, 5
	f, err := newForward(&ForwardOptions{Program: reviews(t, nil), Bind: binder(t), Examples: Examples(sequences, tokens, tokens, 512)})
	if err != nil {
		t.Fatal(err)
	}
	defer f.session.Close()
	work, err := f.work()
	if err != nil {
		t.Fatal(err)
	}
	const C, KV, F, layers, vocab = 128, 64, 352, 5, 2048
	all, rows := float64(sequences*tokens), float64(sequences)
	attention := 4 * sequences * float64(tokens*(tokens+1)/2) * C
	before := 2*all*(C*C+2*KV*C) + attention
	behind := 2.0 * (C*C + 3*C*F)                                         // of a row
	want := layers*before + behind*((layers-1)*all+rows) + 2*rows*C*vocab // in the last layer only label rows go on
	if got := work["f32"]; len(work) != 1 || math.Abs(got-want) > 0 {
		t.Errorf("%g operations, want %g of f32 alone: %v", got, want, work)
	}
}

// TestForwardCeilings wants those of a pass of two types in one order in all runs.
func TestForwardCeilings(t *testing.T) {
	features := cpu.Detect()
	want := slices.Compact([]string{loopFor("f32", features).Name, loopFor("i8", features).Name})
	for range 6 {
		r, err := RunForward(context.Background(), ForwardOptions{
			Program: reviewsOf(t, op.I8, nil), Bind: binder(t), Examples: Examples(1, 3, 3, 512), Features: features,
			Progress: func(done, total int, what string) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range r.Ceilings {
			got = append(got, c.Instruction)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
