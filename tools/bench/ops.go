package bench

import (
	"context"
	"math/bits"

	"zeroth/kernels/cpu"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"
)

// Op is what the nodes of one op, kernel and shape do in a step.
type Op struct {
	Op        string  `json:"op"`
	Kernel    string  `json:"kernel"`
	Shape     string  `json:"shape"`
	Nodes     int     `json:"nodes"`
	Seconds   float64 `json:"seconds"` // median of one node
	Share     float64 `json:"share"`   // of all nodes' time
	OpsPerS   float64 `json:"ops_per_second"`
	BytesPerS float64 `json:"bytes_per_second"` // inputs and outputs, each counted once
	// Bound is what the node could not be faster than: arithmetic, or memory, a
	// copy of as many bytes; and OfCeiling is that time's share of the node's.
	Bound     string  `json:"bound"`
	OfCeiling float64 `json:"of_ceiling"`
}

// Ops is what RunOps measures.
type Ops struct {
	Ceilings []Ceiling  `json:"ceilings"`
	Copies   []Transfer `json:"copies"`
	Ops      []Op       `json:"ops"`
}

// Transfer is what copying memory reaches on all workers.
type Transfer struct {
	Bytes     int     `json:"bytes"`            // touched by one copy, read and written
	BytesPerS float64 `json:"bytes_per_second"` // both counted
}

// opGroup is the nodes of one op, kernel and shape.
type opGroup struct {
	Op
	nodes   []int
	work    work
	weights string // element type of a product's weights, or f32
	bytes   int    // of the copy it is held against
}

// RunOps times every op of a step in place, in turn with the ceilings of its
// arithmetic and of memory.
func RunOps(ctx context.Context, o StepOptions, f cpu.Features) (Ops, error) {
	b, err := packed(o.Examples)
	if err != nil {
		return Ops{}, err
	}
	r, err := newRunner(&o, variant{o.Program, b, o.Estimator}, true)
	if err != nil {
		return Ops{}, err
	}
	defer r.model.Close()
	o.Progress(0, 1, "the ops of a step")
	clock := r.clock()
	if err := clock.after(r.step)(); err != nil {
		return Ops{}, err
	}
	groups, err := groupNodes(r, clock, o.Half)
	if err != nil {
		return Ops{}, err
	}
	clock.runs = nil
	c := ceilings{features: f}
	if c.pool, err = (Workers{Threads: r.model.Session().Threads(), CPUs: o.CPUs}).pool(); err != nil {
		return Ops{}, err
	}
	defer c.pool.Close()
	for _, g := range groups {
		c.want(g)
	}
	turns, err := InTurn(ctx, o.Budget, append([]Contestant{{Name: "step", Run: clock.after(r.step)}}, c.contestants()...)...)
	if err != nil {
		return Ops{}, err
	}
	return c.judge(groups, clock, turns), nil
}

// groupNodes finds which nodes are alike. The clock has been read once.
func groupNodes(r *runner, clock *nodeClock, half map[op.ID]kernel.Operands) ([]*opGroup, error) {
	var groups []*opGroup
	at := make(map[string]*opGroup)
	first := 0
	for _, name := range clock.methods {
		method := r.program.Method(name)
		for i := range method.Nodes {
			n, stats := &method.Nodes[i], clock.before[first+i]
			var kept kernel.Operands
			if stats.Delegated {
				kept = half[n.Op]
			}
			w, err := workOf(method, n, r.extents(len(r.g)), r.batch.SeqOffsets, kept)
			if err != nil {
				return nil, err
			}
			key := stats.Kernel + " " + w.shape
			g := at[key]
			if g == nil {
				g = &opGroup{Op: Op{Op: n.Op.String(), Kernel: stats.Kernel, Shape: w.shape}, work: w, weights: weightsOfNode(method, n)}
				g.bytes = max(1<<bits.Len(uint(w.bytes)), leastCopy*r.model.Session().Threads())
				at[key] = g
				groups = append(groups, g)
			}
			g.nodes = append(g.nodes, first+i)
		}
		first += len(method.Nodes)
	}
	return groups, nil
}

// weightsOfNode is the element type of a product's weights, or f32.
func weightsOfNode(m *program.Method, n *program.Node) string {
	if hasWeights(n.Op) {
		return m.Values[n.In[1]].Type.DType.String()
	}
	return op.F32.String()
}

// hasWeights reports whether input 1 of an op is the weights of a product.
func hasWeights(id op.ID) bool {
	return id == op.Linear || id == op.LinearLoRA || id == op.CrossEntropyHead
}

// leastCopy is the smallest copy that is measured, in bytes for each worker: two
// pages a tile.
const leastCopy = 2 * tilesPerWorker * pageBytes

// ceilings are the loops that ops are held against.
type ceilings struct {
	pool     *platform.Pool
	features cpu.Features
	spins    []*spin
	copies   []*memory
	sizes    []int
}

// spinFor is the place of a type's loop, or −1.
func (c *ceilings) spinFor(weights string) int {
	name := loopFor(weights, c.features).Name
	for i, s := range c.spins {
		if s.loop.Name == name {
			return i
		}
	}
	return -1
}

// copyFor is the place of the copy of so many bytes, or −1.
func (c *ceilings) copyFor(bytes int) int {
	for i, size := range c.sizes {
		if size == bytes {
			return i
		}
	}
	return -1
}

// want sees that the loops of a group will be measured.
func (c *ceilings) want(g *opGroup) {
	if g.work.ops > 0 {
		c.wantSpin(g.weights)
	}
	if c.copyFor(g.bytes) < 0 {
		c.copies = append(c.copies, newMemory(c.pool, c.features.String(), g.bytes, true))
		c.sizes = append(c.sizes, g.bytes)
	}
}

// wantSpin sees that the loop of a type will be measured.
func (c *ceilings) wantSpin(weights string) {
	if c.spinFor(weights) < 0 {
		c.spins = append(c.spins, newSpin(c.pool, loopFor(weights, c.features)))
	}
}

func (c *ceilings) contestants() []Contestant {
	var list []Contestant
	for _, s := range c.spins {
		list = append(list, s.contestant())
	}
	for _, m := range c.copies {
		list = append(list, m.contestant())
	}
	return list
}

// judge holds the groups against the loops, which ran in turn behind the step.
func (c *ceilings) judge(groups []*opGroup, clock *nodeClock, turns Turns) Ops {
	var out Ops
	for i, s := range c.spins {
		out.Ceilings = append(out.Ceilings, Ceiling{Instruction: s.loop.Name, OpsPerS: s.ops() / turns.Median(1+i)})
	}
	for i, m := range c.copies {
		out.Copies = append(out.Copies, Transfer{
			Bytes: len(m.data), BytesPerS: float64(len(m.data)) / turns.Median(1+len(c.spins)+i),
		})
	}
	total := 0.0
	for _, g := range groups {
		total += clock.of(g.nodes)
	}
	for _, g := range groups {
		seconds := clock.of(g.nodes)
		g.Nodes, g.Share = len(g.nodes), seconds/total
		g.Seconds = seconds / float64(g.Nodes)
		g.OpsPerS, g.BytesPerS = g.work.ops/g.Seconds, g.work.bytes/g.Seconds
		ideal := g.work.bytes / out.Copies[c.copyFor(g.bytes)].BytesPerS
		g.Bound = "memory"
		if g.work.ops > 0 {
			if t := g.work.ops / out.Ceilings[c.spinFor(g.weights)].OpsPerS; t > ideal {
				ideal, g.Bound = t, "arithmetic"
			}
		}
		g.OfCeiling = ideal / g.Seconds
		out.Ops = append(out.Ops, g.Op)
	}
	return out
}
