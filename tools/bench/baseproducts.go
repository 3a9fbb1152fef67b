package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"zeroth/graph"
	"zeroth/runtime/executor"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// baseProducts is the base products of all LinearLoRA nodes of a step, x Wᵀ as
// Linear computes it, one after the other on the nodes' own weights: a run is
// about as long as the step, so that what disturbs one disturbs the other.
type baseProducts struct {
	session *executor.Session
	method  *executor.Method
}

var errBase = errors.New("the base products cannot be timed")

// rowSymbols are the extents that a method's inputs can have: one for each number
// of rows.
var rowSymbols = []op.Sym{op.Tokens, op.Sequences, op.LossRows, op.Choices, op.Examples, op.Queries}

// newBaseProducts binds the products of a runner's step.
func newBaseProducts(o *StepOptions, r *runner) (*baseProducts, error) {
	p, rows, err := baseProgram(r)
	if err != nil {
		return nil, err
	}
	bounds := op.Extents{Width: r.extents(len(r.g)).Width}
	for i, n := range rows {
		*extentOf(&bounds, rowSymbols[i]) = n
	}
	s, err := o.Bind(p, bounds, true, "base")
	if err != nil {
		return nil, err
	}
	b := &baseProducts{session: s}
	if b.method, err = s.Method("base"); err == nil {
		err = b.fill(p, bounds)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return b, nil
}

// baseProgram makes the program, and lists its numbers of rows of a copy in the
// order of their symbols.
func baseProgram(r *runner) (*program.Program, []int, error) {
	method, e := r.program.Method("losses"), r.extents(len(r.g))
	m := &graph.Module{Constants: graph.Lift(r.program).Constants}
	g := graph.NewGraph("base")
	var rows []int
	symbols := make(map[int]op.Sym)
	type input struct {
		wide     bool
		count, K int
	}
	inputs := make(map[input]*graph.Value)
	var last *graph.Value
	for i := range method.Nodes {
		n := &method.Nodes[i]
		if n.Op != op.LinearLoRA {
			continue
		}
		x, w := method.Values[n.In[0]].Type, method.Values[n.In[1]]
		if w.Kind != program.ConstRef {
			return nil, nil, fmt.Errorf("%w: node %s: W is not a constant", errBase, n.Name)
		}
		count, K := e.Of(x.Shape[0]), e.Of(x.Shape[1])
		if _, known := symbols[count]; !known {
			if len(rows) == len(rowSymbols) {
				return nil, nil, fmt.Errorf("%w: they have more than %d numbers of rows", errBase, len(rowSymbols))
			}
			symbols[count] = rowSymbols[len(rows)]
			rows = append(rows, count)
		}
		key := input{x.Wide, count, K}
		if inputs[key] == nil {
			inputs[key] = g.Input(fmt.Sprintf("x%d", len(inputs)), op.F32, op.S(symbols[count], 0), op.C(K))
			inputs[key].Type.Wide = x.Wide
		}
		last = g.Apply(op.Linear, n.Name, nil, inputs[key], m.Constants[w.Ref].Value())
	}
	g.Output("y", last)
	m.Methods = append(m.Methods, g)
	p, err := m.Lower()
	return p, rows, err
}

// extentOf is the extent that a symbol is bound to.
func extentOf(e *op.Extents, s op.Sym) *int {
	switch s {
	case op.Tokens:
		return &e.N
	case op.Sequences:
		return &e.S
	case op.LossRows:
		return &e.R
	case op.Choices:
		return &e.K
	case op.Examples:
		return &e.G
	}
	return &e.Q
}

// fill gives the inputs normal values.
func (b *baseProducts) fill(p *program.Program, e op.Extents) error {
	if err := b.method.Resize(e); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(5, 5))
	for _, v := range p.Method("base").Values {
		if v.Kind != program.Input {
			continue
		}
		x, err := b.method.Input(v.Name)
		if err != nil {
			return err
		}
		normal(rng, x.F32())
	}
	return nil
}

func (b *baseProducts) clock() *nodeClock {
	return &nodeClock{session: b.session, methods: []string{"base"}}
}

func (b *baseProducts) run() error { return b.method.Run(context.Background()) }
