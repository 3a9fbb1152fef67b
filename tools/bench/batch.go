package bench

import (
	"math/rand/v2"

	"zeroth/mpzo/data"
)

// Examples makes random examples of one label token each, the i-th of batch
// tokens long: lengths lie evenly between shortest and longest, at least 1.
func Examples(batch, shortest, longest, vocab int) []data.Example {
	rng := rand.New(rand.NewPCG(uint64(batch), uint64(longest)))
	examples := make([]data.Example, batch)
	for i := range examples {
		length := longest
		if batch > 1 {
			length = shortest + (longest-shortest)*i/(batch-1)
		}
		ids := make([]int32, length+1) // the last is only predicted
		for j := range ids {
			ids[j] = int32(rng.IntN(vocab))
		}
		examples[i] = data.Example{Candidates: [][]int32{ids}, Prefix: length}
	}
	return examples
}

// packed packs all examples for the loss over their label tokens.
func packed(examples []data.Example) (*data.Batch, error) {
	picks := make([]int, len(examples))
	for i := range picks {
		picks[i] = i
	}
	b := &data.Batch{}
	return b, b.PackTokens(examples, picks)
}

// padded is the batch as one without packing would be: every sequence goes on
// with token 0 to the length of the longest. In a causal model nothing sees the
// tokens behind it, so the losses are the same.
func padded(b *data.Batch) *data.Batch {
	sequences := len(b.SeqOffsets) - 1
	longest := 0
	for i := range sequences {
		longest = max(longest, int(b.SeqOffsets[i+1]-b.SeqOffsets[i]))
	}
	out := &data.Batch{
		Labels: b.Labels, Weights: b.Weights, RowOffsets: b.RowOffsets, ChoiceOffsets: b.ChoiceOffsets, Gold: b.Gold,
		Tokens: make([]int32, sequences*longest), SeqOffsets: []int32{0},
	}
	for i := range sequences {
		copy(out.Tokens[i*longest:], b.Tokens[b.SeqOffsets[i]:b.SeqOffsets[i+1]])
		for j := range longest {
			out.Positions = append(out.Positions, int32(j))
		}
		out.SeqOffsets = append(out.SeqOffsets, int32((i+1)*longest))
	}
	sequence := 0
	for _, row := range b.Rows { // rows stand in the order of their sequences
		for row >= b.SeqOffsets[sequence+1] {
			sequence++
		}
		out.Rows = append(out.Rows, int32(sequence*longest)+row-b.SeqOffsets[sequence])
	}
	return out
}

// allRows is the batch as one would be whose head gives logits for every token:
// all tokens are rows, and those that are no labels have the weight 0. There must
// be one sequence for each candidate.
func allRows(b *data.Batch) *data.Batch {
	n := len(b.Tokens)
	out := &data.Batch{
		Tokens: b.Tokens, Positions: b.Positions, SeqOffsets: b.SeqOffsets,
		ChoiceOffsets: b.ChoiceOffsets, Gold: b.Gold, RowOffsets: b.SeqOffsets,
		Rows: make([]int32, n), Labels: make([]int32, n), Weights: make([]float32, n),
	}
	for i := range n {
		out.Rows[i] = int32(i)
	}
	for r, row := range b.Rows {
		out.Labels[row], out.Weights[row] = b.Labels[r], b.Weights[r]
	}
	return out
}
