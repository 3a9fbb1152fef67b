package train

import (
	"context"
	"fmt"
	"math"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
)

// Evaluation is what the unperturbed model does on a set.
type Evaluation struct {
	Tally data.Tally
	Loss  float64 // in the measure the set is trained on
	Text  bool    // Loss is of text: e to the power of it is the perplexity
}

// Accuracy is the share of choices that are right, or NaN where there are none.
func (e Evaluation) Accuracy() float64 { return e.Tally.Accuracy() }

// Better reports whether e is the better model of the same set: by accuracy
// where there are choices, then by loss.
func (e Evaluation) Better(other Evaluation) bool {
	a, b := e.Accuracy(), other.Accuracy()
	if !math.IsNaN(a) && a != b {
		return a > b
	}
	return e.Loss < other.Loss
}

func (e Evaluation) record(step uint64) journal.Eval {
	r := journal.Eval{
		Step: step, Kind: journal.EvalHeldOut, Metrics: journal.HasLoss,
		Examples: uint32(e.Tally.Examples), Loss: e.Loss,
	}
	if a := e.Accuracy(); !math.IsNaN(a) {
		r.Metrics |= journal.HasAccuracy
		r.Accuracy = a
	}
	return r
}

// Evaluate runs the whole set through the unperturbed model, batch examples at
// a time, and calls progress, if given, after each.
func (m *Model) Evaluate(ctx context.Context, set *data.Set, loss data.Loss, batch int, normalise data.Normalise, progress func(done int)) (Evaluation, error) {
	e := Evaluation{Text: set.Text}
	if batch < 1 {
		return e, fmt.Errorf("%w: batches of %d examples: must be at least 1", ErrSettings, batch)
	}
	var b data.Batch
	picks := make([]int, 0, batch)
	for first := 0; first < len(set.Examples); first += batch {
		picks = picks[:0]
		for i := first; i < min(first+batch, len(set.Examples)); i++ {
			picks = append(picks, i)
		}
		if err := pack(&b, set, loss, picks); err != nil {
			return e, err
		}
		nll, err := m.RowLosses(ctx, &b)
		if err != nil {
			return e, err
		}
		result, err := data.Score(&b, nll, normalise)
		if err != nil {
			return e, err
		}
		e.Tally.Add(result.Tally)
		if progress != nil {
			progress(first + len(picks))
		}
	}
	e.Loss = e.Tally.MeanTokenLoss()
	if loss == data.ChoiceLoss {
		e.Loss = e.Tally.MeanChoiceLoss()
	}
	if math.IsNaN(e.Loss) || math.IsInf(e.Loss, 0) {
		return e, fmt.Errorf("%w: the loss on %s is %g", ErrDiverged, set.File, e.Loss)
	}
	return e, nil
}

// pack packs what a loss, or an evaluation of it, needs: a set with choices is
// always evaluated over its candidates.
func pack(b *data.Batch, set *data.Set, loss data.Loss, picks []int) error {
	if loss == data.ChoiceLoss || hasChoices(set) {
		return b.PackChoices(set.Examples, picks)
	}
	return b.PackTokens(set.Examples, picks)
}

func hasChoices(set *data.Set) bool {
	return len(set.Examples) > 0 && len(set.Examples[0].Candidates) > 1
}

// EvaluationBounds are the sizes that Evaluate needs.
func EvaluationBounds(set *data.Set, loss data.Loss, batch int) (data.Bounds, error) {
	if loss == data.ChoiceLoss || hasChoices(set) {
		return data.ChoiceBounds(set.Examples, batch)
	}
	return data.TokenBounds(set.Examples, batch)
}

// StepBounds are the sizes that training steps on the set need.
func StepBounds(set *data.Set, loss data.Loss, batch int) (data.Bounds, error) {
	if loss == data.ChoiceLoss {
		return data.ChoiceBounds(set.Examples, batch)
	}
	return data.TokenBounds(set.Examples, batch)
}
