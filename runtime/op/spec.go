package op

import "fmt"

// ID identifies an op in program files. Ids are never reused.
type ID uint16

// Port declares an input of an op.
type Port struct {
	Name   string
	DType  DType
	Rank   int  // 0: 1 or 2
	Narrow bool // must have width 1
	Wide   bool // must be wide: a tangent
	Panels bool // may be in the Panels16 layout, and then of any weight type
	// Index marks an integer input whose values address other tensors. Only a
	// method input or a constant may be connected to it, so that the executor
	// can check all its values before anything runs.
	Index *IndexRule
	// Mutable marks the slot that the op updates in place.
	Mutable bool
}

// Spec is a row of the op table.
type Spec struct {
	ID       ID
	Name     string
	Version  uint16
	Inputs   []Port
	Optional int // how many of the last Inputs may be left out
	Attrs    []AttrSpec
	// InPlace says that the kernel may write output 0 over input 0 where both
	// have the same type.
	InPlace bool
	// infer gives the output types from types that already fit the ports.
	infer func(in []Type, a Attrs) ([]Type, error)
}

// Infer checks the attributes and input types of a node and returns the types
// of its outputs. The loader and the compiler both call it.
func (s *Spec) Infer(in []Type, attrs Attrs) ([]Type, error) {
	if err := s.checkAttrs(attrs); err != nil {
		return nil, err
	}
	if len(in) < len(s.Inputs)-s.Optional || len(in) > len(s.Inputs) {
		return nil, fmt.Errorf("%w: %s has %d inputs, wants %d to %d",
			ErrInvalid, s.Name, len(in), len(s.Inputs)-s.Optional, len(s.Inputs))
	}
	for i, t := range in {
		if err := s.Inputs[i].check(t); err != nil {
			return nil, fmt.Errorf("%s: input %d: %w", s.Name, i, err)
		}
	}
	out, err := s.infer(in, attrs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return out, nil
}

func (s *Spec) checkAttrs(attrs Attrs) error {
	if len(attrs) != len(s.Attrs) {
		return fmt.Errorf("%w: %s has %d attributes, wants %d", ErrInvalid, s.Name, len(attrs), len(s.Attrs))
	}
	for i, a := range attrs {
		if err := s.Attrs[i].check(a); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return nil
}

func (p Port) check(t Type) error {
	if err := t.Check(); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	switch {
	case t.DType != p.DType && !(p.Panels && t.Layout == Panels16 && t.DType.Weight()):
		return fmt.Errorf("%w: %s is %s, wants %s", ErrInvalid, p.Name, t, p.DType)
	case p.Rank == 0 && len(t.Shape) == 0:
		return fmt.Errorf("%w: %s is %s, wants rank 1 or 2", ErrInvalid, p.Name, t)
	case p.Rank != 0 && len(t.Shape) != p.Rank:
		return fmt.Errorf("%w: %s is %s, wants rank %d", ErrInvalid, p.Name, t, p.Rank)
	case p.Narrow && t.Wide:
		return fmt.Errorf("%w: %s is %s, wants width 1", ErrInvalid, p.Name, t)
	case p.Wide && !t.Wide:
		return fmt.Errorf("%w: %s is %s, wants it wide", ErrInvalid, p.Name, t)
	case t.Layout != Rows && !p.Panels:
		return fmt.Errorf("%w: %s is %s, wants it row-major", ErrInvalid, p.Name, t)
	}
	return nil
}

// Lookup finds the row of an op id.
func Lookup(id ID) (*Spec, bool) {
	for i := range table {
		if table[i].ID == id {
			return &table[i], true
		}
	}
	return nil, false
}

// All returns the rows of the table, in order of id.
func All() []*Spec {
	all := make([]*Spec, len(table))
	for i := range table {
		all[i] = &table[i]
	}
	return all
}

func (id ID) String() string {
	if s, ok := Lookup(id); ok {
		return s.Name
	}
	return fmt.Sprintf("op(%d)", uint16(id))
}
