package bench

import (
	"context"
	"slices"

	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// Part is a part of a step's time.
type Part struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"` // of all threads together; median over the steps
	Share   float64 `json:"share"`   // of all parts' in the same step; median
	// Quartiles are the first and the third of the shares.
	Quartiles [2]float64 `json:"share_quartiles"`
	About     string     `json:"about"`
}

// Parts are what a step is made of, as a profile of some steps tells.
//
// What a node takes by the clock is no measure of it on a busy machine: short nodes
// run between two interruptions and long ones never do, and differences of long ones
// are smaller than what the two were held up. So the time of the threads that do
// the work is added up, in which neighbours do not count, and kernels tell apart
// themselves what they are doing (see the phases of package kernel). No part is a
// difference of times of two runs.
type Parts struct {
	List []Part `json:"list"`
	// Beside is all but the base products and rounding x for them; nil where those
	// are not told apart.
	Beside *Part   `json:"beside_base,omitempty"`
	Total  float64 `json:"seconds"` // of a step, as the parts add up; median
	Steps  int     `json:"steps"`
	Clock  string  `json:"clock"` // what was measured
}

// What Parts.Clock can be. The last is for steps that a delegate runs nodes of.
const (
	clockThreads = "processor time of all workers: neighbours and waiting do not count"
	clockWall    = "time of all workers by the clock: this system does not tell that of processors"
	clockNodes   = "time from each node's begin to its end"
)

// clockOf is what was measured where a delegate ran some nodes, or workers all, whose
// time of processors the system tells or not.
func clockOf(delegated, tells bool) string {
	switch {
	case delegated:
		return clockNodes
	case tells:
		return clockThreads
	}
	return clockWall
}

// The parts of a step.
const (
	partBase         = "base GEMM"
	partRound        = "rounding x"
	partLoRA         = "LoRA epilogue"
	partPerturbation = "perturbation"
	partWhole        = "LinearLoRA"
	partAttention    = "attention"
	partBetween      = "norms, activations"
	partHead         = "head, loss"
	partUpdate       = "update"
)

// aboutParts lists the parts in the order in which they are shown.
var aboutParts = []Part{
	{Name: partBase, About: "x Wᵀ; packing x and W is part of it"},
	{Name: partRound, About: "to codes or bf16, for the base products"},
	{Name: partLoRA, About: "x Aᵀ, and (x Aᵀ)(B ± εz)ᵀ added to x Wᵀ"},
	{Name: partPerturbation, About: "z, and B ± εz laid in panels"},
	{Name: partWhole, About: "x Wᵀ + (x Aᵀ)(B ± εz)ᵀ; a device does not tell them apart"},
	{Name: partAttention, About: "with rotary embedding"},
	{Name: partBetween, About: "with lookups and sums"},
	{Name: partHead},
	{Name: partUpdate, About: "of B"},
}

// partOf is the part that an op belongs to, products apart.
func partOf(id op.ID) string {
	switch id {
	case op.Linear:
		return partBase
	case op.LinearLoRA:
		return partWhole
	case op.Attention, op.RotaryEmbedding:
		return partAttention
	case op.CrossEntropyHead, op.WeightedSum, op.ChoiceLoss:
		return partHead
	case op.UpdateLoRA:
		return partUpdate
	}
	return partBetween
}

// partOfPhase is the part that a phase of a product belongs to.
func partOfPhase(phase platform.Phase) string {
	switch phase {
	case kernel.PhaseRound:
		return partRound
	case kernel.PhaseNoise:
		return partPerturbation
	case kernel.PhaseProject, kernel.PhaseLowRank:
		return partLoRA
	}
	return partBase
}

// stepParts splits the time of a step.
func stepParts(ctx context.Context, o *StepOptions, v variant) (Parts, error) {
	r, err := newRunner(o, v, true)
	if err != nil {
		return Parts{}, err
	}
	defer r.model.Close()
	r.model.Session().TimePhases()
	clock := r.clock()
	if _, err := InTurn(ctx, o.Budget, Contestant{Name: "step", Run: clock.after(r.step)}); err != nil {
		return Parts{}, err
	}
	clock.runs = clock.runs[1:] // the first found memory and caches cold
	return clock.parts(), nil
}

// parts adds up what was taken down.
func (c *nodeClock) parts() Parts {
	delegated := c.delegated()
	out := Parts{Steps: len(c.runs), Clock: clockOf(delegated, platform.TellsThreadTime)}
	sums := make([]map[string]float64, len(c.runs))
	totals := make([]float64, len(c.runs))
	for i, run := range c.runs {
		sums[i] = partsOf(run, !delegated)
		for _, seconds := range sums[i] {
			totals[i] += seconds
		}
	}
	out.Total = median(totals)
	for _, part := range aboutParts {
		if slices.ContainsFunc(sums, func(sum map[string]float64) bool { return sum[part.Name] > 0 }) {
			part.fill(sums, totals, part.Name)
			out.List = append(out.List, part)
		}
	}
	if !delegated {
		out.Beside = &Part{Name: "all but base GEMM and rounding x"}
		out.Beside.fill(sums, totals, partLoRA, partPerturbation, partAttention, partBetween, partHead, partUpdate)
	}
	return out
}

// fill sets what some parts take together, step by step.
func (p *Part) fill(sums []map[string]float64, totals []float64, names ...string) {
	seconds, shares := make([]float64, len(sums)), make([]float64, len(sums))
	for i, sum := range sums {
		for _, name := range names {
			seconds[i] += sum[name]
		}
		if totals[i] > 0 { // a coarse clock need not see a short step
			shares[i] = seconds[i] / totals[i]
		}
	}
	p.Seconds, p.Share = median(seconds), median(shares)
	p.Quartiles = [2]float64{quantile(shares, 0.25), quantile(shares, 0.75)}
}

// delegated reports whether a delegate ran some nodes.
func (c *nodeClock) delegated() bool {
	return slices.ContainsFunc(c.before, func(s executor.NodeStats) bool { return s.Delegated })
}

// partsOf are the seconds that the parts took of one run's nodes: of the workers, or
// from begin to end.
func partsOf(nodes []executor.NodeStats, workers bool) map[string]float64 {
	sum := make(map[string]float64)
	for i := range nodes {
		n := &nodes[i]
		part := partOf(n.Op)
		if !workers {
			sum[part] += n.Total.Seconds()
			continue
		}
		for phase, spent := range n.Work {
			if n.Op == op.Linear || n.Op == op.LinearLoRA {
				part = partOfPhase(platform.Phase(phase))
			}
			if spent > 0 {
				sum[part] += spent.Seconds()
			}
		}
	}
	return sum
}
