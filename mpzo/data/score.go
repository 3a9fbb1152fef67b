package data

import (
	"fmt"
	"math"

	"zeroth/internal/elementary"
)

// Normalise says how a candidate's log-likelihood is made of its rows'.
type Normalise uint8

const (
	// BySum takes the log-likelihood of the whole answer.
	BySum Normalise = iota
	// ByMean divides it by the number of rows, so that long answers are not at
	// a disadvantage.
	ByMean
)

// Result is what one batch's losses say.
type Result struct {
	// Predicted is the likeliest candidate of each example [G], the first of
	// equals, or -1 where no candidate has a finite likelihood.
	Predicted []int32
	Tally     Tally
}

// Tally adds up results over batches. Likelihoods are natural logarithms.
type Tally struct {
	Examples   int     // examples seen
	Choices    int     // of these, with more than one candidate
	Tokens     int     // rows of gold answers
	TokenLoss  float64 // sum of their negative log-likelihoods
	ChoiceLoss float64 // sum over Choices of −log softmax of the gold candidate
}

// Add adds another tally to this one.
func (t *Tally) Add(other Tally) {
	t.Examples += other.Examples
	t.Choices += other.Choices
	t.Tokens += other.Tokens
	t.TokenLoss += other.TokenLoss
	t.ChoiceLoss += other.ChoiceLoss
}

// MeanTokenLoss returns the mean negative log-likelihood of a gold token, or NaN
// without any.
func (t Tally) MeanTokenLoss() float64 { return t.TokenLoss / float64(t.Tokens) }

// Perplexity returns e to the MeanTokenLoss.
func (t Tally) Perplexity() float64 { return math.Exp(t.MeanTokenLoss()) }

// MeanChoiceLoss returns the mean loss of a choice, or NaN where nothing was to
// choose.
func (t Tally) MeanChoiceLoss() float64 { return t.ChoiceLoss / float64(t.Choices) }

// Score reads the negative log-likelihoods nll [R] of a batch's label rows.
func Score(batch *Batch, nll []float32, normalise Normalise) (Result, error) {
	if len(nll) != len(batch.Rows) {
		return Result{}, fmt.Errorf("%d losses for %d rows: %w", len(nll), len(batch.Rows), ErrBatch)
	}
	result := Result{Predicted: make([]int32, batch.Examples())}
	tally := &result.Tally
	tally.Examples = batch.Examples()
	var scores []float64
	for g := range batch.Gold {
		from, to := batch.goldRows(g)
		tally.Tokens += to - from
		for _, loss := range nll[from:to] {
			tally.TokenLoss += float64(loss)
		}
		scores = scores[:0]
		for k := batch.ChoiceOffsets[g]; k < batch.ChoiceOffsets[g+1]; k++ {
			rows := nll[batch.RowOffsets[k]:batch.RowOffsets[k+1]]
			scores = append(scores, logLikelihood(rows, normalise))
		}
		gold := int(batch.Gold[g])
		result.Predicted[g] = int32(likeliest(scores))
		if len(scores) < 2 {
			continue
		}
		tally.Choices++
		tally.ChoiceLoss += logSumExp(scores) - scores[gold]
	}
	return result, nil
}

// logLikelihood returns the log-likelihood of one candidate.
func logLikelihood(nll []float32, normalise Normalise) float64 {
	sum := 0.0
	for _, loss := range nll {
		sum -= float64(loss)
	}
	if normalise == ByMean {
		sum /= float64(len(nll))
	}
	return sum
}

// likeliest returns the index of the first largest finite score, or -1.
func likeliest(scores []float64) int {
	best := -1
	for i, score := range scores {
		if math.IsNaN(score) || math.IsInf(score, 0) {
			continue
		}
		if best < 0 || score > scores[best] {
			best = i
		}
	}
	return best
}

// logSumExp returns log Σ exp(scores), NaN where a score is NaN.
func logSumExp(scores []float64) float64 {
	highest := math.Inf(-1)
	for _, score := range scores {
		highest = max(highest, score)
	}
	if math.IsInf(highest, 0) {
		return highest
	}
	sum := 0.0
	for _, score := range scores {
		sum += elementary.Exp(score - highest)
	}
	return highest + elementary.Log(sum)
}
