package data

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-6*max(1, math.Abs(want))) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// Rows of PackChoices(threeExamples): [a0][a1*][b0* b0*][b1][b2][c0* c0*].
var scoreLosses = []float32{0.5, 1.5, 1, 1, 1.25, 4, 2, 3}

func score(t *testing.T, nll []float32, normalise Normalise) Result {
	t.Helper()
	var b Batch
	if err := b.PackChoices(threeExamples(), []int{0, 1, 2}); err != nil {
		t.Fatal(err)
	}
	result, err := Score(&b, nll, normalise)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestScoreBySum(t *testing.T) {
	result := score(t, scoreLosses, BySum)
	equal(t, "predicted", result.Predicted, []int32{0, 1, 0})
	tally := result.Tally
	if tally.Examples != 3 || tally.Choices != 2 || tally.Tokens != 5 {
		t.Errorf("tally is %+v", tally)
	}
	near(t, "token loss", tally.MeanTokenLoss(), 1.7) // (1.5+1+1+2+3)/5
	near(t, "perplexity", tally.Perplexity(), 5.473947391727201)
	// ln(1+e^1) and ln(1+e^(2−1.25)+e^(2−4))
	near(t, "choice loss", tally.MeanChoiceLoss(), (1.313261687518223+1.1793732921052464)/2)
}

func TestScoreByMean(t *testing.T) {
	result := score(t, scoreLosses, ByMean)
	equal(t, "predicted", result.Predicted, []int32{0, 0, 0})
	// ln(1+e^1) and ln(1+e^(1−1.25)+e^(1−4))
	near(t, "choice loss", result.Tally.MeanChoiceLoss(), (1.313261687518223+0.603544003085777)/2)
	near(t, "token loss", result.Tally.MeanTokenLoss(), 1.7)
}

func TestScoreOfTies(t *testing.T) {
	result := score(t, []float32{2, 2, 1, 1, 2, 2, 0, 0}, BySum)
	equal(t, "predicted", result.Predicted, []int32{0, 0, 0})
	near(t, "choice loss", result.Tally.MeanChoiceLoss(), (math.Ln2+math.Log(3))/2)
}

func TestScoreOfWhatIsNotFinite(t *testing.T) {
	nan, infinite := float32(math.NaN()), float32(math.Inf(1))
	result := score(t, []float32{nan, 1, infinite, 1, 2, nan, 1, 1}, BySum)
	equal(t, "predicted", result.Predicted, []int32{1, 1, 0})
	if loss := result.Tally.MeanChoiceLoss(); !math.IsNaN(loss) && !math.IsInf(loss, 0) {
		t.Errorf("choice loss is %v", loss)
	}
	result = score(t, []float32{nan, infinite, 1, 1, 1, 1, 1, 1}, BySum)
	if result.Predicted[0] != -1 {
		t.Errorf("predicted is %v", result.Predicted)
	}
	// Large losses do not overflow.
	result = score(t, []float32{2000, 3000, 1, 1, 9, 9, 1, 1}, BySum)
	near(t, "choice loss", result.Tally.ChoiceLoss, 1000+math.Log(1+2*math.Exp(-7)))
}

func TestScoreOfGoldAnswersAlone(t *testing.T) {
	var b Batch
	if err := b.PackTokens(threeExamples(), []int{2, 0, 1}); err != nil {
		t.Fatal(err)
	}
	result, err := Score(&b, []float32{1, 2, 3, 4, 5}, BySum)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "token loss", result.Tally.MeanTokenLoss(), 3)
	if result.Tally.Choices != 0 || !math.IsNaN(result.Tally.MeanChoiceLoss()) {
		t.Errorf("tally is %+v", result.Tally)
	}
	_, err = Score(&b, []float32{1}, BySum)
	wantError(t, err, ErrBatch, "1 losses for 5 rows")
}

func TestTallyAdds(t *testing.T) {
	var total Tally
	total.Add(score(t, scoreLosses, BySum).Tally)
	total.Add(score(t, scoreLosses, ByMean).Tally)
	if total.Examples != 6 || total.Choices != 4 || total.Tokens != 10 {
		t.Errorf("tally is %+v", total)
	}
	near(t, "token loss", total.MeanTokenLoss(), 1.7)
	near(t, "choice loss", total.ChoiceLoss, 2*1.313261687518223+1.1793732921052464+0.603544003085777)
}
