package compare

import (
	"context"
	"fmt"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// Node is what came of one node.
type Node struct {
	Index  int    `json:"index"` // in the method
	Op     string `json:"op"`
	Name   string `json:"node"`
	Type   string `json:"type"` // of its output: "f32[P N 64]"
	Kernel string `json:"kernel"`
	// Half says that a backend keeps some of the node's operands as f16.
	Half bool `json:"f16,omitempty"`
	// Alone is its error with the reference's inputs, and Limit the NMSE that it
	// may have.
	Alone Error   `json:"alone"`
	Limit float64 `json:"limit"`
	// InRun is the error of its value in the run of the whole method, those of all
	// nodes before it included, and RunLimit the NMSE that it may have there: its
	// own and the largest among its inputs.
	InRun    Error   `json:"in_run"`
	RunLimit float64 `json:"run_limit"`
	// Fault says what is past the limit in the node alone, RunFault in the run.
	Fault    string `json:"fault,omitempty"`
	RunFault string `json:"run_fault,omitempty"`
}

func (n *Node) String() string { return fmt.Sprintf("node %d %s %s", n.Index, n.Op, n.Name) }

// Excess is the NMSE alone over its limit, or more where a row, a column or the
// pairs are worse: above 1 is a fault.
func (n *Node) Excess() float64 {
	if n.Fault != "" && n.Alone.Odd > 0 {
		return 1e300
	}
	line := max(n.Alone.Row, n.Alone.Column) / (lineFactor * n.Limit)
	return max(n.Alone.NMSE/n.Limit, line, n.Alone.Pair/pairLimit(n.Limit))
}

// Walk runs the work on both backends and judges every node of its method, in
// order. Progress, if not nil, is called before each.
func Walk(ctx context.Context, w Work, tested, reference Engine, progress func(done, total int, what string)) ([]Node, error) {
	def, err := w.method()
	if err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(int, int, string) {}
	}
	total := len(def.Nodes) + 2
	progress(0, total, w.Method+" on the reference")
	want, err := newTrace(ctx, &w, reference)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	defer want.session.Close()
	k := &walk{work: &w, def: def, reference: reference, want: want, runLimits: make([]float64, len(def.Values)), runLoose: make([]bool, len(def.Values))}
	progress(1, total, w.Method)
	if err := k.inRun(ctx, tested); err != nil {
		return nil, err
	}
	for i := range k.nodes {
		progress(i+2, total, k.nodes[i].Name)
		if err := k.alone(ctx, tested, i); err != nil {
			return nil, fmt.Errorf("%s: %w", &k.nodes[i], err)
		}
	}
	return k.nodes, nil
}

// walk is the state of a Walk.
type walk struct {
	work      *Work
	def       *program.Method
	reference Engine
	want      *trace
	nodes     []Node
	limits    []Limit   // by node
	runLimits []float64 // by value: the NMSE that it may have in the run
	runLoose  []bool    // by value: what is not finite may be so in any way
}

// inRun runs the whole method on the tested backend and measures its values. What
// that run held is let go before the nodes are run alone.
func (k *walk) inRun(ctx context.Context, tested Engine) error {
	have, err := newTrace(ctx, k.work, tested)
	if err != nil {
		return err
	}
	defer have.session.Close()
	for i := range k.def.Nodes {
		def := &k.def.Nodes[i]
		spec, ok := op.Lookup(def.Op)
		if !ok {
			return fmt.Errorf("node %d: %w: unknown %s", i, op.ErrInvalid, def.Op)
		}
		node := Node{Index: i, Op: spec.Name, Name: def.Name}
		l := limitOf(spec, k.inputs(def), k.want.values[def.Out[0]], k.work.Pairs)
		own := l.NMSE // in the run
		if node.Half = k.work.halfOf(def.Op) != (kernel.Operands{}); node.Half {
			l.half()
			own += storedAsHalf
		}
		node.Limit, node.RunLimit = l.NMSE, own
		run := Limit{scale: l.scale, loose: l.loose}
		for _, v := range def.In {
			node.RunLimit = max(node.RunLimit, own+k.runLimits[v])
			run.loose = run.loose || k.runLoose[v]
		}
		run.NMSE = node.RunLimit
		for _, v := range def.Out {
			k.runLimits[v], k.runLoose[v] = node.RunLimit, run.loose
			node.Type = k.def.Values[v].Type.String()
			node.InRun = measure(have.values[v], k.want.values[v], run)
		}
		node.RunFault = run.runFault(&node.InRun)
		k.nodes, k.limits = append(k.nodes, node), append(k.limits, l)
	}
	return nil
}

// inputs are the tensors of a node in the reference's run; slots are without data.
func (k *walk) inputs(def *program.Node) []*kernel.Tensor {
	list := make([]*kernel.Tensor, len(def.In))
	for i, v := range def.In {
		if list[i] = k.want.values[v]; list[i] == nil {
			value := &k.def.Values[v]
			list[i] = &kernel.Tensor{Type: value.Type}
			if value.Kind == program.ConstRef {
				list[i].Data = k.work.Program.Constants[value.Ref].Data
			}
		}
	}
	return list
}

// alone judges node i by itself.
func (k *walk) alone(ctx context.Context, tested Engine, i int) error {
	node, l := &k.nodes[i], &k.limits[i]
	half := k.work.halfOf(k.def.Nodes[i].Op)
	cut := newAlone(k.work.Program, k.def, i, half)
	want := k.want.values
	if node.Half {
		want = make([]*kernel.Tensor, len(want))
		err := cut.run(ctx, k.reference, k.work.Extents, k.want, func(value int, t *kernel.Tensor, _ string) {
			want[value] = inHalf(t, keepsHalf(t.Type, k.def.Nodes[i].Out, value, half.Out))
		})
		if err != nil {
			return fmt.Errorf("reference: %w", err)
		}
	}
	return cut.run(ctx, tested, k.work.Extents, k.want, func(value int, t *kernel.Tensor, by string) {
		node.Kernel = by
		node.Alone = measure(t, want[value], *l)
		node.Fault = l.fault(&node.Alone)
	})
}
