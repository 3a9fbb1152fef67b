package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
	"zeroth/tools/bench"
)

// Training is what training would see of two backends that agree value by value
// or do not.
type Training struct {
	Loss          Number  `json:"loss"` // of the unperturbed model
	ReferenceLoss Number  `json:"reference_loss"`
	LossLimit     float64 `json:"loss_limit"` // on the difference, relative

	Directions       int     `json:"directions"`
	Eps              float64 `json:"eps"`
	Size             Number  `json:"root_mean_square"` // of the projected gradients
	ReferenceSize    Number  `json:"reference_root_mean_square"`
	bench.Agreement          // zero where a gradient is not finite
	CorrelationLimit float64 `json:"correlation_limit"`
	rounding         float64 // of a loss, relative

	// Sites and Moved count the sites with LoRA and those of them whose B is not
	// the same bits after an update by the reference's gradients.
	Sites int `json:"sites"`
	Moved int `json:"sites_that_differ"`

	Fault string `json:"fault,omitempty"`
}

// Number is a measured value; where it is not finite, JSON has null for it.
type Number float64

// MarshalJSON writes null for what JSON has no number for.
func (n Number) MarshalJSON() ([]byte, error) {
	if !isFinite(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// Bind makes a model on a backend, all of its slots set.
type Bind func() (*train.Model, error)

const (
	// lossLimit is how far the loss may be off, relative to it, and that of
	// rounded products.
	lossLimit, roundedLossLimit = 1e-4, 1e-2
	// leastCorrelation is that of the projected gradients.
	leastCorrelation, roundedCorrelation = 0.99, 0.95
	// lossRounding is the error of a loss in f32, relative to it: what g is off by
	// is that over eps.
	lossRounding = 1e-6
	// lossLimitInHalf and lossRoundingInHalf are those of activations in f16, by which
	// losses of small models were off by 1e-4.
	lossLimitInHalf, lossRoundingInHalf = 5e-3, 2e-4
)

// Train measures the loss and the projected gradients of two backends along the
// same directions, and holds an update of B on one against one on the other.
// The nodes are those that Walk judged: limits are those of what they are computed
// with.
func Train(ctx context.Context, tested, reference Bind, probe bench.Probe, nodes []Node) (Training, error) {
	out := Training{Directions: probe.Directions, Eps: probe.Eps[0], rounding: lossRounding}
	out.LossLimit, out.CorrelationLimit = lossLimit, leastCorrelation
	if Halves(nodes) {
		out.LossLimit, out.CorrelationLimit, out.rounding = lossLimitInHalf, roundedCorrelation, lossRoundingInHalf
	}
	if Rounded(nodes) {
		out.LossLimit, out.CorrelationLimit = roundedLossLimit, roundedCorrelation
	}
	want, g, b, err := trained(ctx, reference, probe, nil)
	if err != nil {
		return out, fmt.Errorf("reference: %w", err)
	}
	have, _, moved, err := trained(ctx, tested, probe, g)
	if err != nil {
		return out, err
	}
	out.Loss, out.ReferenceLoss = Number(have.Loss), Number(want.Loss)
	out.agree(have.G[0], want.G[0])
	out.Sites = len(b)
	for i := range b {
		if !sameBits(moved[i], b[i]) {
			out.Moved++
		}
	}
	out.Fault = out.fault()
	return out, nil
}

// agree compares projected gradients g with the reference's r.
func (t *Training) agree(g, r []float32) {
	size, referenceSize := bench.RootMeanSquare(g), bench.RootMeanSquare(r)
	t.Size, t.ReferenceSize = Number(size), Number(referenceSize)
	if !isFinite(size) || !isFinite(referenceSize) {
		return
	}
	t.Agreement = bench.Agree(g, r)
}

// drowned reports whether all that the gradients differ by can come from rounding
// the losses: where they are that small, their correlation means nothing.
func (t *Training) drowned() bool {
	return float64(t.ReferenceSize)*t.RelativeError < t.rounding*max(math.Abs(float64(t.ReferenceLoss)), 1)/t.Eps
}

// trained projects gradients on a backend, then moves B by g, or where that is
// nil by those. It returns the g that were used and every B.
func trained(ctx context.Context, bind Bind, probe bench.Probe, g []float32) (found bench.Gradients, used []float32, b [][]float32, err error) {
	m, err := bind()
	if err != nil {
		return found, nil, nil, err
	}
	defer m.Close()
	if found, err = probe.Measure(ctx, m); err != nil {
		return found, nil, nil, err
	}
	if g == nil {
		g = found.G[0][:min(probe.Queries, probe.Directions)]
	}
	if err = m.Update(ctx, noise.StepSeed(probe.Seed, 0), g, updateRate); err != nil {
		return found, nil, nil, err
	}
	b, err = m.Snapshot()
	return found, g, b, err
}

// updateRate is large enough for every B to move, whatever the gradients are.
const updateRate = 1e-2

func sameBits(a, b []float32) bool {
	for i := range b {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && !(a[i] != a[i] && b[i] != b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// LossDifference is how far the loss is off, relative to the reference's.
func (t *Training) LossDifference() float64 {
	return math.Abs(float64(t.Loss-t.ReferenceLoss)) / max(math.Abs(float64(t.ReferenceLoss)), 1e-3)
}

// fault says what is past its limit, or nothing.
func (t *Training) fault() string {
	switch d := t.LossDifference(); {
	case !(d <= t.LossLimit):
		return fmt.Sprintf("the loss is %g, want %g: off by %.3g of it, more than %g", t.Loss, t.ReferenceLoss, d, t.LossLimit)
	case !isFinite(float64(t.Size)) || !isFinite(float64(t.ReferenceSize)):
		return fmt.Sprintf("the projected gradients are not finite: root mean square %g, want %g", t.Size, t.ReferenceSize)
	case t.Correlation < t.CorrelationLimit && !t.drowned():
		return fmt.Sprintf("the projected gradients have a correlation of %.5f with the reference's, less than %g", t.Correlation, t.CorrelationLimit)
	case t.Moved > 0:
		return fmt.Sprintf("after an update B differs at %d of %d sites, where every backend must give the same bits", t.Moved, t.Sites)
	}
	return ""
}
