package data

import (
	"fmt"
	"slices"
)

// Bounds are the sizes a session needs: no batch has more of anything.
type Bounds struct {
	Tokens     int // N
	Sequences  int // S
	Rows       int // R
	Candidates int // K
	Examples   int // G
	Longest    int // tokens of one sequence
}

// TokenBounds returns what PackTokens needs for any batch of that size which an
// Order, or a walk through the examples in their own order, can give.
func TokenBounds(examples []Example, batch int) (Bounds, error) {
	return bounds(examples, batch, tokenSizes)
}

// ChoiceBounds is TokenBounds for PackChoices.
func ChoiceBounds(examples []Example, batch int) (Bounds, error) {
	return bounds(examples, batch, choiceSizes)
}

// Max returns the larger of each bound, for a session that serves two sets.
func (b Bounds) Max(other Bounds) Bounds {
	return Bounds{
		Tokens:     max(b.Tokens, other.Tokens),
		Sequences:  max(b.Sequences, other.Sequences),
		Rows:       max(b.Rows, other.Rows),
		Candidates: max(b.Candidates, other.Candidates),
		Examples:   max(b.Examples, other.Examples),
		Longest:    max(b.Longest, other.Longest),
	}
}

// tokenSizes returns what one example adds to a batch of PackTokens.
func tokenSizes(example *Example) Bounds {
	if n := len(example.Masked); n > 0 {
		return Bounds{Tokens: n, Sequences: 1, Rows: 1, Candidates: 1, Longest: n}
	}
	length := len(example.Candidates[example.Gold])
	return Bounds{
		Tokens: length - 1, Sequences: 1, Rows: length - example.Prefix,
		Candidates: 1, Longest: length - 1,
	}
}

// choiceSizes returns what one example adds to a batch of PackChoices.
func choiceSizes(example *Example) Bounds {
	size := Bounds{Candidates: len(example.Candidates)}
	if n := len(example.Masked); n > 0 {
		size.Tokens, size.Sequences, size.Rows, size.Longest = n, 1, size.Candidates, n
		return size
	}
	for _, ids := range example.Candidates {
		size.Rows += len(ids) - example.Prefix
		if !example.single(ids) {
			size.Tokens += len(ids) - 1
			size.Sequences++
			size.Longest = max(size.Longest, len(ids)-1)
		}
	}
	if size.Sequences == 0 {
		size.Tokens, size.Sequences, size.Longest = example.Prefix, 1, example.Prefix
	}
	return size
}

// bounds adds up, for each size alone, the examples that are largest in it, each
// as often as a batch can hold it.
func bounds(examples []Example, batch int, sizes func(*Example) Bounds) (Bounds, error) {
	if len(examples) == 0 || batch < 1 {
		return Bounds{}, fmt.Errorf("bounds of %d examples in batches of %d: both must be positive: %w", len(examples), batch, ErrBatch)
	}
	out := Bounds{Examples: batch}
	each := make([]Bounds, len(examples))
	for i := range examples {
		if err := checkPicks(examples, []int{i}); err != nil {
			return Bounds{}, err
		}
		each[i] = sizes(&examples[i])
		out.Longest = max(out.Longest, each[i].Longest)
	}
	largest := func(of func(Bounds) int) int {
		all := make([]int, len(each))
		for i := range each {
			all[i] = of(each[i])
		}
		slices.SortFunc(all, func(a, b int) int { return b - a })
		return sumLargest(all, batch, repeats(len(examples), batch))
	}
	out.Tokens = largest(func(b Bounds) int { return b.Tokens })
	out.Sequences = largest(func(b Bounds) int { return b.Sequences })
	out.Rows = largest(func(b Bounds) int { return b.Rows })
	out.Candidates = largest(func(b Bounds) int { return b.Candidates })
	if out.Tokens > maxBatchTokens {
		return Bounds{}, fmt.Errorf("a batch of %d examples can have %d tokens, the limit is %d: %w", batch, out.Tokens, maxBatchTokens, ErrBatch)
	}
	return out, nil
}

// repeats returns how often one example can occur in a batch: once for each
// epoch that the batch touches, and it touches one more than it must where
// batches do not end together with the epochs.
func repeats(examples, batch int) int {
	if examples%batch == 0 {
		return 1
	}
	if batch%examples == 0 {
		return batch / examples
	}
	return (batch+examples-2)/examples + 1
}

// sumLargest sums count of the descending values, each taken up to `times`
// times.
func sumLargest(descending []int, count, times int) int {
	sum := 0
	for _, value := range descending {
		n := min(times, count)
		sum += n * value
		if count -= n; count == 0 {
			break
		}
	}
	return sum
}
