package data

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Three examples: two one-token answers; answers of two and one tokens; a window.
func threeExamples() []Example {
	return []Example{
		{Candidates: [][]int32{{1, 10, 11, 20}, {1, 10, 11, 21}}, Prefix: 3, Gold: 1},
		{Candidates: [][]int32{{1, 30, 40, 41}, {1, 30, 42}, {1, 30, 43}}, Prefix: 2, Gold: 0},
		{Candidates: [][]int32{{1, 50, 51}}, Prefix: 1},
	}
}

func TestPackTokens(t *testing.T) {
	var b Batch
	for range 2 { // the second time over a used batch
		if err := b.PackTokens(threeExamples(), []int{2, 0, 1}); err != nil {
			t.Fatal(err)
		}
		equal(t, "tokens", b.Tokens, []int32{1, 50, 1, 10, 11, 1, 30, 40})
		equal(t, "positions", b.Positions, []int32{0, 1, 0, 1, 2, 0, 1, 2})
		equal(t, "sequences", b.SeqOffsets, []int32{0, 2, 5, 8})
		equal(t, "rows", b.Rows, []int32{0, 1, 4, 6, 7})
		equal(t, "labels", b.Labels, []int32{50, 51, 21, 40, 41})
		equal(t, "weights", b.Weights, []float32{0.2, 0.2, 0.2, 0.2, 0.2})
		equal(t, "row offsets", b.RowOffsets, []int32{0, 2, 3, 5})
		equal(t, "choices", b.ChoiceOffsets, []int32{0, 1, 2, 3})
		equal(t, "gold", b.Gold, []int32{0, 0, 0})
	}
}

func TestPackChoices(t *testing.T) {
	var b Batch
	for range 2 {
		if err := b.PackChoices(threeExamples(), []int{0, 1, 2}); err != nil {
			t.Fatal(err)
		}
		equal(t, "tokens", b.Tokens, []int32{1, 10, 11, 1, 30, 40, 1, 50})
		equal(t, "positions", b.Positions, []int32{0, 1, 2, 0, 1, 2, 0, 1})
		equal(t, "sequences", b.SeqOffsets, []int32{0, 3, 6, 8})
		equal(t, "rows", b.Rows, []int32{2, 2, 4, 5, 4, 4, 6, 7})
		equal(t, "labels", b.Labels, []int32{20, 21, 40, 41, 42, 43, 50, 51})
		equal(t, "weights", b.Weights, []float32{0, 0.2, 0.2, 0.2, 0, 0, 0.2, 0.2})
		equal(t, "row offsets", b.RowOffsets, []int32{0, 1, 2, 4, 5, 6, 8})
		equal(t, "choices", b.ChoiceOffsets, []int32{0, 2, 5, 6})
		equal(t, "gold", b.Gold, []int32{1, 0, 0})
		if b.Examples() != 3 {
			t.Errorf("%d examples", b.Examples())
		}
	}
}

func TestPackRefuses(t *testing.T) {
	good := threeExamples()
	bad := []Example{
		{Candidates: [][]int32{{1, 2}}, Prefix: 1, Gold: 1},
		{Candidates: [][]int32{{1, 2}}, Prefix: 1, Gold: -1},
		{Candidates: [][]int32{{1, 2}}, Prefix: 2},
		{Candidates: [][]int32{{1, 2}, {1}}, Prefix: 1},
		{Candidates: [][]int32{{1, 2}}, Prefix: 0},
		{},
	}
	var b Batch
	wantError(t, b.PackTokens(good, nil), ErrBatch)
	for _, pick := range []int{-1, 3} {
		wantError(t, b.PackTokens(good, []int{0, pick}), ErrBatch)
		wantError(t, b.PackChoices(good, []int{0, pick}), ErrBatch)
	}
	for i := range bad {
		wantError(t, b.PackTokens(bad, []int{i}), ErrBatch)
		wantError(t, b.PackChoices(bad, []int{i}), ErrBatch)
		_, err := ChoiceBounds(bad[i:i+1], 1)
		wantError(t, err, ErrBatch)
	}
}

func TestPackingAllocatesNothing(t *testing.T) {
	examples := threeExamples()
	picks := []int{0, 1, 2, 1}
	var b Batch
	pack := func() {
		if b.PackTokens(examples, picks) != nil || b.PackChoices(examples, picks) != nil {
			t.Fatal("not packed")
		}
	}
	pack()
	if n := testing.AllocsPerRun(100, pack); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// randomExamples makes examples of one to four candidates.
func randomExamples(random *rand.Rand, n int) []Example {
	examples := make([]Example, n)
	for i := range examples {
		e := &examples[i]
		e.Prefix = 1 + random.IntN(12)
		for range 1 + random.IntN(4) {
			ids := make([]int32, e.Prefix+1+random.IntN(3))
			for j := range ids {
				ids[j] = int32(100 + j)
				if j >= e.Prefix {
					ids[j] = random.Int32N(1000)
				}
			}
			e.Candidates = append(e.Candidates, ids)
		}
		e.Gold = random.IntN(len(e.Candidates))
	}
	return examples
}

// What a batch promises, checked against the examples by another road: each
// row's label follows the tokens up to the row.
func TestPackedRowsContinueTheirCandidates(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		examples := randomExamples(random, 8)
		picks := make([]int, 1+random.IntN(10))
		for i := range picks {
			picks[i] = random.IntN(len(examples))
		}
		var b Batch
		for _, choices := range []bool{false, true} {
			pack := b.PackTokens
			if choices {
				pack = b.PackChoices
			}
			if err := pack(examples, picks); err != nil {
				t.Fatal(err)
			}
			checkBatch(t, &b, examples, picks, choices)
		}
	}
}

func checkBatch(t *testing.T, b *Batch, examples []Example, picks []int, choices bool) {
	t.Helper()
	candidate, weight := 0, 0.0
	for g, pick := range picks {
		example := examples[pick]
		candidates, gold := example.Candidates, example.Gold
		if !choices {
			candidates, gold = candidates[gold:gold+1], 0
		}
		if int(b.Gold[g]) != gold || int(b.ChoiceOffsets[g]) != candidate {
			t.Fatalf("example %d: gold %d, first candidate %d", g, b.Gold[g], b.ChoiceOffsets[g])
		}
		for c, ids := range candidates {
			for i, r := example.Prefix, b.RowOffsets[candidate]; r < b.RowOffsets[candidate+1]; i, r = i+1, r+1 {
				at := b.Rows[r]
				start := at - b.Positions[at]
				equal(t, "context", b.Tokens[start:at+1], ids[:i])
				if b.Labels[r] != ids[i] || !slices.Contains(b.SeqOffsets, start) {
					t.Fatalf("row %d: label %d, sequence from %d", r, b.Labels[r], start)
				}
				if (b.Weights[r] != 0) != (c == gold) {
					t.Fatalf("row %d: weight %v", r, b.Weights[r])
				}
				weight += float64(b.Weights[r])
			}
			if int(b.RowOffsets[candidate+1]-b.RowOffsets[candidate]) != len(ids)-example.Prefix {
				t.Fatalf("candidate %d has rows %v", candidate, b.RowOffsets)
			}
			candidate++
		}
	}
	if math.Abs(weight-1) > 1e-5 || len(b.Weights) != len(b.Rows) || len(b.Positions) != len(b.Tokens) {
		t.Fatalf("weights sum to %v; %d weights, %d rows", weight, len(b.Weights), len(b.Rows))
	}
	if int(b.SeqOffsets[len(b.SeqOffsets)-1]) != len(b.Tokens) {
		t.Fatalf("sequences %v of %d tokens", b.SeqOffsets, len(b.Tokens))
	}
}

func sizesOf(b *Batch) Bounds {
	longest := 0
	for _, position := range b.Positions {
		longest = max(longest, int(position)+1)
	}
	return Bounds{
		Tokens: len(b.Tokens), Sequences: len(b.SeqOffsets) - 1, Rows: len(b.Rows),
		Candidates: len(b.RowOffsets) - 1, Examples: len(b.Gold), Longest: longest,
	}
}

// No batch of any order is larger than the bounds; the bounds of one example,
// and of a whole epoch at once, are exact.
func TestBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		n := 1 + random.IntN(9)
		examples := randomExamples(random, n)
		for batch := 1; batch <= 2*n+1; batch++ {
			order := mustOrder(t, random.Uint64(), n, batch)
			tokens, err := TokenBounds(examples, batch)
			if err != nil {
				t.Fatal(err)
			}
			choices, err := ChoiceBounds(examples, batch)
			if err != nil {
				t.Fatal(err)
			}
			var b Batch
			var ofTokens, ofChoices Bounds
			for step := range uint64(40) {
				if err := b.PackTokens(examples, order.Batch(step, nil)); err != nil {
					t.Fatal(err)
				}
				ofTokens = ofTokens.Max(sizesOf(&b))
				if err := b.PackChoices(examples, order.Batch(step, nil)); err != nil {
					t.Fatal(err)
				}
				ofChoices = ofChoices.Max(sizesOf(&b))
			}
			if tokens.Max(ofTokens) != tokens || choices.Max(ofChoices) != choices {
				t.Fatalf("%d in batches of %d: bounds %+v %+v, seen %+v %+v", n, batch, tokens, choices, ofTokens, ofChoices)
			}
			if (batch == 1 || batch%n == 0) && (tokens != ofTokens || choices != ofChoices) {
				t.Fatalf("%d in batches of %d: bounds %+v %+v, all there is %+v %+v", n, batch, tokens, choices, ofTokens, ofChoices)
			}
		}
	}
}

func TestBoundsByHand(t *testing.T) {
	examples := threeExamples()
	got, err := ChoiceBounds(examples, 3)
	if want := (Bounds{Tokens: 8, Sequences: 3, Rows: 8, Candidates: 6, Examples: 3, Longest: 3}); err != nil || got != want {
		t.Errorf("choices of all: %+v, %v", got, err)
	}
	// Batches of two straddle epochs of three, so one example can come twice.
	got, err = TokenBounds(examples, 2)
	if want := (Bounds{Tokens: 6, Sequences: 2, Rows: 4, Candidates: 2, Examples: 2, Longest: 3}); err != nil || got != want {
		t.Errorf("tokens of two: %+v, %v", got, err)
	}
	for _, batch := range []int{0, -1} {
		_, err := TokenBounds(examples, batch)
		wantError(t, err, ErrBatch)
	}
	_, err = TokenBounds(nil, 1)
	wantError(t, err, ErrBatch)
	_, err = ChoiceBounds(examples, math.MaxInt32)
	wantError(t, err, ErrBatch, "tokens")
}

func BenchmarkPackChoices(b *testing.B) {
	examples := randomExamples(rand.New(rand.NewPCG(1, 1)), 64)
	order, err := NewOrder(1, len(examples), 8)
	if err != nil {
		b.Fatal(err)
	}
	var batch Batch
	var picks []int
	b.ReportAllocs()
	for step := range uint64(b.N) {
		picks = order.Batch(step, picks)
		if err := batch.PackChoices(examples, picks); err != nil {
			b.Fatal(err)
		}
	}
}
