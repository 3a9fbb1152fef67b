package data

import "fmt"

// Batch holds examples packed for the `losses` method, one after the other and
// without padding. With N tokens, S sequences, R label rows, K candidates and G
// examples:
//
// Row r predicts token Labels[r] from the hidden state of token Rows[r].
// Candidate k owns rows RowOffsets[k] to RowOffsets[k+1], and example g owns
// candidates ChoiceOffsets[g] to ChoiceOffsets[g+1].
//
// All slices keep their capacity: packing allocates nothing once they have
// grown to the largest batch.
type Batch struct {
	Tokens        []int32   // [N]
	Positions     []int32   // [N] place of each token in its sequence, from 0
	SeqOffsets    []int32   // [S+1] first token of each sequence, and N
	Rows          []int32   // [R] index into Tokens
	Labels        []int32   // [R]
	Weights       []float32 // [R] 1/(rows of gold answers) for those, else 0
	RowOffsets    []int32   // [K+1]
	ChoiceOffsets []int32   // [G+1]
	Gold          []int32   // [G] right candidate, counted within the example
}

// PackTokens packs the gold answers of the picked examples, for the loss over
// their tokens: one sequence and one candidate an example, Gold 0. The last id
// of an answer is only predicted, so no sequence holds it.
func (b *Batch) PackTokens(examples []Example, picks []int) error {
	if err := checkPicks(examples, picks); err != nil {
		return err
	}
	b.reset()
	for _, pick := range picks {
		example := &examples[pick]
		ids := example.Candidates[example.Gold]
		if example.Masked != nil {
			b.addMaskRow(example, ids[0], len(b.Tokens))
			b.addSequence(example.Masked)
		} else {
			b.addRows(ids, example.Prefix, len(b.Tokens))
			b.addSequence(ids[:len(ids)-1])
		}
		b.endExample(0)
	}
	b.weigh()
	return nil
}

// PackChoices packs all candidates of the picked examples, for choosing among
// them. A candidate whose answer has several tokens is a sequence of its own;
// one whose answer is a single token needs only the hidden state at the end of
// the prefix, and takes it from the example's first sequence. Where all answers
// are single tokens, that sequence is the prefix alone. The candidates of a mask
// all take the hidden state of the mask.
func (b *Batch) PackChoices(examples []Example, picks []int) error {
	if err := checkPicks(examples, picks); err != nil {
		return err
	}
	b.reset()
	for _, pick := range picks {
		example := &examples[pick]
		if example.Masked != nil {
			b.addMaskChoices(example)
		} else {
			b.addChoices(example)
		}
		b.endExample(int32(example.Gold))
	}
	b.weigh()
	return nil
}

func (b *Batch) addMaskChoices(example *Example) {
	first := len(b.Tokens)
	b.addSequence(example.Masked)
	for _, ids := range example.Candidates {
		b.addMaskRow(example, ids[0], first)
	}
}

func (b *Batch) addChoices(example *Example) {
	first := len(b.Tokens)
	for _, ids := range example.Candidates {
		if !example.single(ids) {
			b.addSequence(ids[:len(ids)-1])
		}
	}
	if len(b.Tokens) == first {
		b.addSequence(example.Candidates[0][:example.Prefix])
	}
	next := first
	for _, ids := range example.Candidates {
		if example.single(ids) {
			b.addRows(ids, example.Prefix, first)
			continue
		}
		b.addRows(ids, example.Prefix, next)
		next += len(ids) - 1
	}
}

// PackTexts packs the picked texts, for the hidden state of each one's last
// token: a row each, and neither labels nor candidates.
func (b *Batch) PackTexts(texts [][]int32, picks []int) {
	b.reset()
	for _, pick := range picks {
		b.addSequence(texts[pick])
		b.Rows = append(b.Rows, int32(len(b.Tokens)-1))
	}
}

// single says whether the answer of a candidate is one token.
func (e *Example) single(ids []int32) bool { return len(ids) == e.Prefix+1 }

// Examples returns G.
func (b *Batch) Examples() int { return len(b.Gold) }

func (b *Batch) reset() {
	b.Tokens, b.Positions = b.Tokens[:0], b.Positions[:0]
	b.SeqOffsets = append(b.SeqOffsets[:0], 0)
	b.Rows, b.Labels, b.Weights = b.Rows[:0], b.Labels[:0], b.Weights[:0]
	b.RowOffsets = append(b.RowOffsets[:0], 0)
	b.ChoiceOffsets = append(b.ChoiceOffsets[:0], 0)
	b.Gold = b.Gold[:0]
}

// addSequence packs ids as one sequence.
func (b *Batch) addSequence(ids []int32) {
	for i, id := range ids {
		b.Tokens = append(b.Tokens, id)
		b.Positions = append(b.Positions, int32(i))
	}
	b.SeqOffsets = append(b.SeqOffsets, int32(len(b.Tokens)))
}

// addRows adds a candidate: a row for each id of its answer, read from the
// sequence that begins at token first.
func (b *Batch) addRows(ids []int32, prefix, first int) {
	for i := prefix; i < len(ids); i++ {
		b.Rows = append(b.Rows, int32(first+i-1))
		b.Labels = append(b.Labels, ids[i])
	}
	b.RowOffsets = append(b.RowOffsets, int32(len(b.Rows)))
}

// addMaskRow adds a candidate that stands in place of the mask of the sequence
// that begins at token first.
func (b *Batch) addMaskRow(example *Example, id int32, first int) {
	b.Rows = append(b.Rows, int32(first+example.Mask))
	b.Labels = append(b.Labels, id)
	b.RowOffsets = append(b.RowOffsets, int32(len(b.Rows)))
}

func (b *Batch) endExample(gold int32) {
	b.ChoiceOffsets = append(b.ChoiceOffsets, int32(len(b.RowOffsets)-1))
	b.Gold = append(b.Gold, gold)
}

// goldRows returns the rows [from, to) of the right answer of example g.
func (b *Batch) goldRows(g int) (from, to int) {
	candidate := b.ChoiceOffsets[g] + b.Gold[g]
	return int(b.RowOffsets[candidate]), int(b.RowOffsets[candidate+1])
}

// weigh sets Weights so that their sum over the gold rows is 1.
func (b *Batch) weigh() {
	gold := 0
	for g := range b.Gold {
		from, to := b.goldRows(g)
		gold += to - from
	}
	for range b.Rows {
		b.Weights = append(b.Weights, 0)
	}
	for g := range b.Gold {
		from, to := b.goldRows(g)
		for r := from; r < to; r++ {
			b.Weights[r] = 1 / float32(gold)
		}
	}
}

// maxBatchTokens keeps every offset of a batch within int32.
const maxBatchTokens = 1 << 30

// checkPicks refuses picks that are not there and examples that Example's rules
// exclude.
func checkPicks(examples []Example, picks []int) error {
	if len(picks) == 0 {
		return fmt.Errorf("no example is picked: %w", ErrBatch)
	}
	total := 0
	for _, pick := range picks {
		if pick < 0 || pick >= len(examples) {
			return fmt.Errorf("example %d of %d is picked: %w", pick, len(examples), ErrBatch)
		}
		example := &examples[pick]
		if example.Gold < 0 || example.Gold >= len(example.Candidates) {
			return fmt.Errorf("example %d: gold is %d of %d candidates: %w", pick, example.Gold, len(example.Candidates), ErrBatch)
		}
		if example.Masked != nil {
			if err := checkMask(example, pick); err != nil {
				return err
			}
			if total += len(example.Masked); total > maxBatchTokens {
				return tooManyTokens()
			}
			continue
		}
		for c, ids := range example.Candidates {
			if example.Prefix < 1 || len(ids) <= example.Prefix {
				return fmt.Errorf("example %d: candidate %d has %d ids and a prefix of %d: %w", pick, c, len(ids), example.Prefix, ErrBatch)
			}
			if total += len(ids); total > maxBatchTokens {
				return tooManyTokens()
			}
		}
	}
	return nil
}

func tooManyTokens() error {
	return fmt.Errorf("more than %d tokens: %w", maxBatchTokens, ErrBatch)
}

// checkMask wants a mask within the text and candidates of one id.
func checkMask(example *Example, pick int) error {
	if example.Mask < 0 || example.Mask >= len(example.Masked) {
		return fmt.Errorf("example %d: the mask is at %d of %d ids: %w", pick, example.Mask, len(example.Masked), ErrBatch)
	}
	for c, ids := range example.Candidates {
		if len(ids) != 1 {
			return fmt.Errorf("example %d: candidate %d has %d ids for one mask: %w", pick, c, len(ids), ErrBatch)
		}
	}
	return nil
}
