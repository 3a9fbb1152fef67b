package cpu

import (
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// Every kernel of LinearLoRA tells its phases apart, and x is rounded where there
// is a kernel of codes.
func TestLoRAPhases(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	dense := matrix(rng, 0, 33, 64)
	for _, d := range op.WeightTypes() {
		w := inPanels(dense)
		if d.Packed() {
			w = packedWeights(t, dense, d)
		}
		c := test{"phases " + d.String(), op.LinearLoRA, 2, loraAttrs(1), []*kernel.Tensor{
			matrix(rng, 2, 70, 64), w, matrix(rng, 0, 3, 64), matrix(rng, 0, 33, 3),
			tensor([]uint32{1, 2}, 0, 2), tensor([]int32{0}, 0, 1), tensor([]float32{1e-2}, 0, 1),
		}}
		for _, f := range levels(t) {
			pool := platform.NewPool(2)
			pool.TimePhases()
			_, runner := c.bind(t, Kernels(f), pool)
			var spent platform.Spent
			pool.BeginPhases()
			if err := runner.Run(); err != nil {
				t.Fatal(err)
			}
			pool.TakePhases(&spent)
			pool.EndPhases()
			pool.Close()
			_, coded := runner.(*codedLoRA)
			for phase, want := range map[platform.Phase]bool{
				0: true, kernel.PhaseRound: coded, kernel.PhaseNoise: true, kernel.PhaseProject: true, kernel.PhaseLowRank: true,
			} {
				if (spent[phase] > 0) != want {
					t.Errorf("%s, %s: %s in phase %d", d, f, spent[phase], phase)
				}
			}
		}
	}
}
