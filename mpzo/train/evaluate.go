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
	Tally    data.Tally
	Scores   data.Scores
	Deciding data.Metric // which of the scores says what is better
	Loss     float64     // in the measure the set is trained on
	Text     bool        // Loss is of text: e to the power of it is the perplexity
}

// Better reports whether e is the better model of the same set: by the metric
// that decides where there is one, then by loss.
func (e Evaluation) Better(other Evaluation) bool {
	a, b := e.Scores.Of(e.Deciding), other.Scores.Of(e.Deciding)
	if !math.IsNaN(a) && a != b {
		return a > b
	}
	return e.Loss < other.Loss
}

// record is the evaluation as a journal has it: after step steps, of the adapter
// as it was after of of them.
func (e Evaluation) record(kind journal.EvalKind, step, of uint64) journal.Eval {
	r := journal.Eval{
		Step: step, Of: of, Kind: kind, Metrics: journal.HasLoss,
		Examples: uint32(e.Tally.Examples), Loss: e.Loss,
	}
	for _, share := range []struct {
		value float64
		bit   journal.Metrics
		into  *float64
	}{
		{e.Scores.Accuracy, journal.HasAccuracy, &r.Accuracy},
		{e.Scores.F1, journal.HasF1, &r.F1},
		{e.Scores.ExactMatch, journal.HasExact, &r.Exact},
	} {
		if !math.IsNaN(share.value) {
			r.Metrics |= share.bit
			*share.into = share.value
		}
	}
	return r
}

// Recorded returns the evaluation that a record tells of, as far as it does.
func Recorded(r journal.Eval, deciding data.Metric, text bool) Evaluation {
	e := Evaluation{Scores: data.NoScores(), Deciding: deciding, Loss: r.Loss, Text: text}
	e.Tally.Examples = int(r.Examples)
	if r.Metrics&journal.HasAccuracy != 0 {
		e.Scores.Accuracy = r.Accuracy
	}
	if r.Metrics&journal.HasF1 != 0 {
		e.Scores.F1 = r.F1
	}
	if r.Metrics&journal.HasExact != 0 {
		e.Scores.ExactMatch = r.Exact
	}
	return e
}

// Evaluate runs the whole set through the unperturbed model, batch examples at
// a time, and calls progress, if given, after each. Answers that are to be
// generated need a Generator.
func (m *Model) Evaluate(ctx context.Context, set *data.Set, loss data.Loss, batch int, normalise data.Normalise, progress func(done int)) (Evaluation, error) {
	e := Evaluation{Text: set.Text, Scores: data.NoScores(), Deciding: set.Deciding()}
	if batch < 1 {
		return e, fmt.Errorf("%w: batches of %d examples: must be at least 1", ErrSettings, batch)
	}
	if progress == nil {
		progress = func(int) {}
	}
	measured := progress
	if set.NewTokens > 0 { // what takes long comes afterwards
		measured = func(int) {}
	}
	predicted, err := m.measure(ctx, &e, set, loss, batch, normalise, measured)
	if err != nil {
		return e, err
	}
	e.Loss = e.Tally.MeanTokenLoss()
	if loss == data.ChoiceLoss {
		e.Loss = e.Tally.MeanChoiceLoss()
	}
	if math.IsNaN(e.Loss) || math.IsInf(e.Loss, 0) {
		return e, fmt.Errorf("%w: it is %g on %s; some weight or some value of the adapter is not finite, or too large", ErrNotFinite, e.Loss, set.File)
	}
	if set.NewTokens == 0 {
		if len(set.Metrics) > 0 {
			e.Scores, err = set.Score(predicted)
		}
		return e, err
	}
	if m.generator == nil {
		return e, fmt.Errorf("%w: answers to %s are to be generated, and the model has no generator", ErrSettings, set.File)
	}
	answers, err := m.generator.Answers(ctx, m, set, batch, progress)
	if err != nil {
		return e, err
	}
	e.Scores, err = set.ScoreAnswers(answers)
	return e, err
}

// measure adds up the losses of a set and returns the predicted candidates.
func (m *Model) measure(ctx context.Context, e *Evaluation, set *data.Set, loss data.Loss, batch int, normalise data.Normalise, progress func(done int)) ([]int32, error) {
	var b data.Batch
	picks := make([]int, 0, batch)
	predicted := make([]int32, 0, len(set.Examples))
	for first := 0; first < len(set.Examples); first += batch {
		picks = picks[:0]
		for i := first; i < min(first+batch, len(set.Examples)); i++ {
			picks = append(picks, i)
		}
		if err := pack(&b, set, loss, picks); err != nil {
			return nil, err
		}
		nll, err := m.RowLosses(ctx, &b)
		if err != nil {
			return nil, err
		}
		result, err := data.Score(&b, nll, normalise)
		if err != nil {
			return nil, err
		}
		e.Tally.Add(result.Tally)
		predicted = append(predicted, result.Predicted...)
		progress(first + len(picks))
	}
	return predicted, nil
}

// pack packs what a loss, or an evaluation of it, needs: a set with choices is
// always evaluated over its candidates.
func pack(b *data.Batch, set *data.Set, loss data.Loss, picks []int) error {
	if hasChoices(set) {
		loss = data.ChoiceLoss
	}
	return packStep(b, set, loss, picks)
}

// packStep packs what a training step needs.
func packStep(b *data.Batch, set *data.Set, loss data.Loss, picks []int) error {
	if loss == data.ChoiceLoss {
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
