package bench

import (
	"context"

	"zeroth/mpzo/data"
	"zeroth/runtime/op"
)

// Part is a part of a step's time.
type Part struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Share   float64 `json:"share"`
	About   string  `json:"about"`
}

// The parts of a step.
const (
	partBase         = "base GEMM"
	partLoRA         = "LoRA epilogue"
	partPerturbation = "perturbation"
	partAttention    = "attention"
	partBetween      = "norms, activations"
	partHead         = "head, loss"
	partUpdate       = "update"
)

// partOf is the part that an op belongs to. LinearLoRA is of three.
func partOf(id op.ID) string {
	switch id {
	case op.Linear, op.LinearLoRA:
		return partBase
	case op.Attention, op.RotaryEmbedding:
		return partAttention
	case op.CrossEntropyHead, op.WeightedSum, op.ChoiceLoss:
		return partHead
	case op.UpdateLoRA:
		return partUpdate
	}
	return partBetween
}

// stepParts splits a step's time. The time of each node is measured; within
// LinearLoRA the base product is that of a Linear of the same rows and weights
// timed in turn with the step, and the perturbation is what the node takes less
// with ε = 0.
func stepParts(ctx context.Context, o *StepOptions, v variant) ([]Part, float64, error) {
	moving, err := newRunner(o, v, true)
	if err != nil {
		return nil, 0, err
	}
	defer moving.model.Close()
	still, err := newRunner(o, v, true)
	if err != nil {
		return nil, 0, err
	}
	defer still.model.Close()
	still.at.Eps = 0 // its gradients, 0/0, are not used
	movingNodes, stillNodes := moving.clock(), still.clock()
	alone, err := newBaseProducts(o, moving)
	if err != nil {
		return nil, 0, err
	}
	defer alone.session.Close()
	aloneNodes := alone.clock()
	_, err = InTurn(ctx, o.Budget,
		Contestant{Name: "step", Run: movingNodes.after(moving.step)},
		Contestant{Name: "eps 0", Run: stillNodes.after(still.stepStill)},
		Contestant{Name: "base", Run: aloneNodes.after(alone.run)})
	if err != nil {
		return nil, 0, err
	}
	seconds, with := movingNodes.parts()
	_, without := stillNodes.parts()
	base := aloneNodes.all()
	seconds[partBase] += base - with
	seconds[partPerturbation] += with - without
	seconds[partLoRA] += without - base
	return listParts(seconds)
}

// stepStill is step without an update, which NaN would spoil.
func (r *runner) stepStill() error {
	return r.estimator.Estimate(context.Background(), r.model, r.batch, data.TokenLoss, r.at, r.losses, r.g)
}

// parts are what the parts of a step take, LinearLoRA being in the base product's,
// and what all LinearLoRA does.
func (c *nodeClock) parts() (seconds map[string]float64, lora float64) {
	nodes := make(map[string][]int)
	var loraNodes []int
	for i, s := range c.before {
		nodes[partOf(s.Op)] = append(nodes[partOf(s.Op)], i)
		if s.Op == op.LinearLoRA {
			loraNodes = append(loraNodes, i)
		}
	}
	seconds = make(map[string]float64)
	for part, list := range nodes {
		seconds[part] = c.of(list)
	}
	return seconds, c.of(loraNodes)
}

func listParts(seconds map[string]float64) ([]Part, float64, error) {
	parts := []Part{
		{Name: partBase, About: "x Wᵀ; quantising x is part of it"},
		{Name: partLoRA, About: "(x Aᵀ)(B ± εz)ᵀ, by difference: LinearLoRA with ε = 0 less the base product alone"},
		{Name: partPerturbation, About: "z, by difference: LinearLoRA less the same with ε = 0"},
		{Name: partAttention, About: "with rotary embedding"},
		{Name: partBetween, About: "with lookups and sums"},
		{Name: partHead},
		{Name: partUpdate, About: "of B"},
	}
	total := 0.0
	for _, s := range seconds {
		total += s
	}
	for i := range parts {
		parts[i].Seconds = seconds[parts[i].Name]
		parts[i].Share = parts[i].Seconds / total
	}
	return parts, total, nil
}
