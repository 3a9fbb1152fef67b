package train

import (
	"context"

	"zeroth/mpzo/data"
)

// JVP takes the slopes as they are: g_i = ∇L(θ)·z_i, by forward-mode
// differentiation (the forward gradient of Baydin et al. 2022, arXiv 2202.08587;
// Silver et al. 2022, arXiv 2108.08858). The unperturbed model goes forward once,
// and beside each of its values what that changes by along q directions. There is
// no ε: nothing is taken from its like, so slopes are as precise as the model's
// own arithmetic, whatever the weights' type. z_i are those of the other
// estimators.
type JVP struct{}

// Name is "jvp".
func (JVP) Name() string { return "jvp" }

// Copies is q: of the tangents. The model itself has none.
func (JVP) Copies(q int) int { return q }

// Losses is 1.
func (JVP) Losses(int) int { return 1 }

// Passes is q + 1.
func (JVP) Passes(q int) int { return q + 1 }

// Method is "slopes".
func (JVP) Method() string { return MethodSlopes }

// Estimate runs one pass of q tangents. ε is not looked at.
func (JVP) Estimate(ctx context.Context, m *Model, b *data.Batch, loss data.Loss, at Probe, losses, g []float32) error {
	return m.Slopes(ctx, b, loss, at.Seed, losses, g)
}
