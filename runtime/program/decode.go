package program

import "zeroth/runtime/op"

// segment is where in the file the bytes of a constant or of the tokenizer lie.
type segment struct {
	offset uint64
	length uint64
	sum    [32]byte // SHA-256
}

// decodeHeader reads the tables of a header. The program it gives has no data
// yet, and is not verified: segments are those of the constants, in order, and
// then that of the tokenizer, if there is one.
func decodeHeader(header []byte) (*Program, []segment, error) {
	c := &cursor{data: header}
	p := &Program{}
	p.Meta = c.meta()
	var segments []segment
	p.Constants, segments = c.constants()
	p.Slots = c.slots()
	p.Sites = c.sites()
	p.Methods = c.methods()
	if c.atMost("tokenizer", 1) == 1 {
		c.enter("tokenizer", noIndex)
		if p.Tokenizer.Kind = c.text("kind", MaxNameBytes); p.Tokenizer.Kind == "" {
			c.stop(ErrInvalid, "kind", "must not be empty") // no tokenizer is a list of none
		}
		segments = append(segments, c.segment())
		c.leave()
	}
	if c.err == nil && c.at != len(header) {
		c.stop(ErrFormat, "header", "%d bytes are left over after its last field", len(header)-c.at)
	}
	return p, segments, c.err
}

func (c *cursor) meta() []Meta {
	n := c.count("meta", MaxMeta, minMetaBytes)
	if n == 0 {
		return nil
	}
	list := make([]Meta, n)
	for i := 0; i < n && c.err == nil; i++ {
		c.enter("meta", i)
		list[i] = Meta{Key: c.text("key", MaxNameBytes), Value: c.text("value", MaxMetaValueBytes)}
		c.leave()
	}
	return list
}

// constants also gives their segments, with room for the tokenizer's.
func (c *cursor) constants() ([]Constant, []segment) {
	n := c.count("constants", MaxConstants, minConstantBytes)
	if n == 0 {
		return nil, nil
	}
	list, segments := make([]Constant, n), make([]segment, n, n+1)
	for i := 0; i < n && c.err == nil; i++ {
		c.enter("constants", i)
		list[i] = Constant{Name: c.text("name", MaxNameBytes), Type: c.typ()}
		segments[i] = c.segment()
		c.leave()
	}
	return list, segments
}

func (c *cursor) segment() segment {
	c.enter("segment", noIndex)
	defer c.leave()
	s := segment{offset: c.u64("offset"), length: c.u64("length")}
	copy(s.sum[:], c.take("sha256", uint64(len(s.sum))))
	return s
}

func (c *cursor) slots() []Slot {
	n := c.count("slots", MaxSlots, minSlotBytes)
	if n == 0 {
		return nil
	}
	list := make([]Slot, n)
	for i := 0; i < n && c.err == nil; i++ {
		c.enter("slots", i)
		list[i] = Slot{Name: c.text("name", MaxNameBytes), Type: c.typ()}
		c.leave()
	}
	return list
}

func (c *cursor) sites() []Site {
	n := c.count("sites", MaxSites, minSiteBytes)
	if n == 0 {
		return nil
	}
	list := make([]Site, n)
	for i := 0; i < n && c.err == nil; i++ {
		c.enter("sites", i)
		list[i] = Site{
			ID:     uint32(c.atMost("id", 1<<32-1)),
			Name:   c.text("name", MaxNameBytes),
			Module: c.text("module", MaxNameBytes),
			Layer:  c.atLeastMinusOne("layer", MaxLayer),
			Out:    int(c.atMost("out", op.MaxDim)),
			In:     int(c.atMost("in", op.MaxDim)),
			A:      c.atLeastMinusOne("a", MaxSlots),
			B:      c.atLeastMinusOne("b", MaxSlots),
		}
		c.leave()
	}
	return list
}

// typ reads a type. Whether its numbers mean anything is for Verify.
func (c *cursor) typ() op.Type {
	c.enter("type", noIndex)
	defer c.leave()
	t := op.Type{
		DType:  op.DType(c.atMost("dtype", 255)),
		Layout: op.Layout(c.atMost("layout", 255)),
		Wide:   c.atMost("wide", 1) == 1,
	}
	rank := c.count("shape", op.MaxRank, minDimBytes)
	if rank == 0 {
		return t
	}
	t.Shape = make([]op.Dim, rank)
	for i := range t.Shape {
		c.enter("shape", i)
		t.Shape[i] = op.Dim{Sym: op.Sym(c.atMost("sym", 255)), Offset: int(c.atMost("extent", op.MaxDim))}
		c.leave()
	}
	return t
}
