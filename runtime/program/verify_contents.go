package program

import (
	"encoding/binary"
	"slices"

	"zeroth/runtime/op"
)

// verifyContents checks the bytes of constants and tokenizer, for a program
// whose structure is sound. When streamed is set, a constant without data is
// passed over: its bytes are checked as they are written.
func verifyContents(p *Program, streamed bool) error {
	v := &contentsVerifier{verifier: verifier{p: p}}
	for i := range p.Constants {
		if streamed && p.Constants[i].Data == nil {
			continue
		}
		v.enter("constants", i)
		if err := v.constant(&p.Constants[i]); err != nil {
			return err
		}
		v.leave()
	}
	for i := range p.Methods {
		v.enter("methods", i)
		for n := range p.Methods[i].Nodes {
			v.enter("nodes", n)
			if err := v.indices(&p.Methods[i], &p.Methods[i].Nodes[n]); err != nil {
				return err
			}
			v.leave()
		}
		v.leave()
	}
	v.enter("tokenizer", noIndex)
	switch kind, size := p.Tokenizer.Kind, len(p.Tokenizer.Data); {
	case (kind == "") != (size == 0):
		return v.fault(ErrInvalid, "data", "%d bytes with kind %q: both or neither must be there", size, kind)
	case size > MaxTokenizerBytes:
		return v.fault(ErrLimit, "data", "%d bytes, at most %d", size, MaxTokenizerBytes)
	}
	return nil
}

type contentsVerifier struct {
	verifier
	known map[int]*indexValues // by constant
	held  map[[2]int]bool      // pairs of constants found to fit under InGroup
}

func (v *contentsVerifier) constant(k *Constant) error {
	want, err := k.Type.Bytes(op.Extents{})
	if err != nil {
		return v.faultOf("type", err)
	}
	if len(k.Data) != want {
		return v.fault(ErrInvalid, "data", "%d bytes, %s takes %d", len(k.Data), k.Type, want)
	}
	if at := nonzeroPadding(k.Type, 0, k.Data); at >= 0 {
		return v.fault(ErrInvalid, "data", "byte %d is not zero, but lies past the rows and columns of %s", at, k.Type)
	}
	return nil
}

// indices checks the constants that a node uses as indices, where what they
// address has a constant extent. Inputs are checked by the executor.
func (v *contentsVerifier) indices(m *Method, n *Node) error {
	spec, _ := op.Lookup(n.Op)
	for i, index := range n.In {
		rule := spec.Inputs[i].Index
		if rule == nil || m.Values[index].Kind != ConstRef {
			continue
		}
		v.enter("inputs", i)
		if err := v.index(rule, m, index, n.In[rule.Of]); err != nil {
			return err
		}
		v.leave()
	}
	return nil
}

// index checks one of them: value index addresses value of under the rule. A
// constant's values are read once, however many nodes use it.
func (v *contentsVerifier) index(rule *op.IndexRule, m *Method, index, of int) error {
	constant, addressed := m.Values[index].Ref, &m.Values[of]
	have, err := v.valuesOf(constant)
	if err != nil {
		return err
	}
	extent := addressed.Type.Shape[0].Offset - rule.Less
	constantExtent := addressed.Type.Shape[0].Sym == op.Const
	switch {
	case rule.Kind == op.InGroup && addressed.Kind == ConstRef:
		return v.inGroup(rule, constant, addressed.Ref, have.all)
	case rule.Kind == op.InGroup || !constantExtent:
		return nil // depends on what a run is given: the executor checks it
	case rule.Kind == op.Below && rule.Check([]int32{have.least, have.most}, extent, nil) == nil:
		return nil
	case rule.Kind == op.Offsets && have.rising && rule.Check(have.ends(), extent, nil) == nil:
		return nil
	}
	// Only to name the element that is wrong.
	if err := rule.Check(have.all, extent, nil); err != nil {
		return v.faultOf("constant "+v.p.Constants[constant].Name, err)
	}
	return nil
}

// inGroup checks indices into groups of constant sizes. Inference has made
// the offsets one longer than the indices.
func (v *contentsVerifier) inGroup(rule *op.IndexRule, constant, offsets int, values []int32) error {
	pair := [2]int{constant, offsets}
	if v.held[pair] {
		return nil
	}
	bounds, err := v.valuesOf(offsets)
	if err != nil {
		return err
	}
	if err := rule.Check(values, 0, bounds.all); err != nil {
		return v.faultOf("constant "+v.p.Constants[constant].Name, err)
	}
	if v.held == nil {
		v.held = make(map[[2]int]bool)
	}
	v.held[pair] = true
	return nil
}

// indexValues are the values of an i32 constant, and what decides at once
// whether they keep to a rule.
type indexValues struct {
	all         []int32 // never empty: stored extents are at least 1
	least, most int32
	rising      bool // no value is below the one before it
}

func (x *indexValues) ends() []int32 { return []int32{x.all[0], x.all[len(x.all)-1]} }

// valuesOf decodes a constant, the first time it is asked for.
func (v *contentsVerifier) valuesOf(constant int) (*indexValues, error) {
	if x := v.known[constant]; x != nil {
		return x, nil
	}
	data := v.p.Constants[constant].Data
	if data == nil {
		return nil, v.fault(ErrInvalid, "", "constant %q is an index, so its data must be there before it is written",
			v.p.Constants[constant].Name)
	}
	x := &indexValues{all: make([]int32, len(data)/4)}
	for i := range x.all {
		x.all[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
	}
	x.least, x.most = slices.Min(x.all), slices.Max(x.all)
	x.rising = slices.IsSorted(x.all)
	if v.known == nil {
		v.known = make(map[int]*indexValues)
	}
	v.known[constant] = x
	return x, nil
}
