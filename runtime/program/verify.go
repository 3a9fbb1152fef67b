package program

import "zeroth/runtime/op"

// Verify holds a program to all the rules that the runtime relies on, whether
// it came from a file or was built in memory: VerifyStructure, and that every
// constant has the bytes its type says, panel padding of zeros, and, where it
// is an index of something of constant extent, values within it.
func Verify(p *Program) error {
	if err := VerifyStructure(p); err != nil {
		return err
	}
	return verifyContents(p, false)
}

// VerifyStructure checks everything of a program but the bytes of its
// constants and of its tokenizer, which need not be there yet:
//
//   - counts and lengths are within limits.go; names are there, printable, and
//     unique among their kind; metadata is sorted by key;
//   - constants and slots have constant extents of at least 1 and width 1, and
//     storage that a slot brings along has its size;
//   - a site's slots are a pair A [r, In], B [Out, r] of f32, row-major, that no
//     other site has;
//   - every value refers to what its kind says and has its type; a temporary
//     is made by exactly one node, before it is used, so that nodes can run in
//     their order; attributes and types are what op inference gives;
//   - method inputs are row-major and of width 1;
//   - indices are method inputs or constants, what a node updates is a slot,
//     which the node has by no other input, and a method updates a slot once at
//     most; outputs are row-major temporaries.
func VerifyStructure(p *Program) error {
	v := &verifier{p: p}
	for _, check := range []func() error{v.meta, v.constants, v.slots, v.sites, v.methods} {
		if err := check(); err != nil {
			return err
		}
	}
	if kind := p.Tokenizer.Kind; kind != "" {
		v.enter("tokenizer", noIndex)
		return v.checkName("kind", kind)
	}
	return nil
}

// verifier walks a program, knowing where it stands.
type verifier struct {
	place
	p       *Program
	updater []int32   // of each slot: 1 + the last method found to update it
	types   []op.Type // input types of the node at hand
}

// atMost checks the length of a list.
func (v *verifier) atMost(list string, n, most int) error {
	if n > most {
		return v.fault(ErrLimit, list, "%d of them, at most %d", n, most)
	}
	return nil
}

func (v *verifier) meta() error {
	list := v.p.Meta
	if err := v.atMost("meta", len(list), MaxMeta); err != nil {
		return err
	}
	for i, m := range list {
		v.enter("meta", i)
		if err := v.checkName("key", m.Key); err != nil {
			return err
		}
		if i > 0 && m.Key <= list[i-1].Key {
			return v.fault(ErrInvalid, "key", "%q after %q: keys must be sorted and unique", m.Key, list[i-1].Key)
		}
		if err := v.checkMetaValue(m.Value); err != nil {
			return err
		}
		v.leave()
	}
	return nil
}

func (v *verifier) constants() error {
	list := v.p.Constants
	if err := v.atMost("constants", len(list), MaxConstants); err != nil {
		return err
	}
	for i := range list {
		v.enter("constants", i)
		if err := v.checkName("name", list[i].Name); err != nil {
			return err
		}
		if _, err := v.storedType(list[i].Type); err != nil {
			return err
		}
		v.leave()
	}
	return v.checkUnique("constants", len(list), func(i int32) string { return list[i].Name })
}

func (v *verifier) slots() error {
	list := v.p.Slots
	if err := v.atMost("slots", len(list), MaxSlots); err != nil {
		return err
	}
	var total int64
	for i := range list {
		v.enter("slots", i)
		if err := v.checkName("name", list[i].Name); err != nil {
			return err
		}
		size, err := v.storedType(list[i].Type)
		if err != nil {
			return err
		}
		if data := list[i].Data; data != nil && (len(data) != size || !isAligned(data)) {
			return v.fault(ErrInvalid, "data", "%d bytes, want none or %d, aligned to %d", len(data), size, Alignment)
		}
		if int64(size) > MaxSlotBytes-total {
			return v.fault(ErrLimit, "type", "%s brings the slots above %d bytes", list[i].Type, int64(MaxSlotBytes))
		}
		total += int64(size)
		v.leave()
	}
	return v.checkUnique("slots", len(list), func(i int32) string { return list[i].Name })
}

// storedType checks the type of a constant or slot and gives its bytes.
func (v *verifier) storedType(t op.Type) (int, error) {
	if err := t.Check(); err != nil {
		return 0, v.faultOf("type", err)
	}
	if t.Wide || !t.Constant() {
		return 0, v.fault(ErrInvalid, "type", "%s: what is stored has constant extents and width 1", t)
	}
	for i, d := range t.Shape {
		if d.Offset < 1 {
			return 0, v.fault(ErrInvalid, "type", "%s: dimension %d must be at least 1", t, i)
		}
	}
	size, err := t.Bytes(op.Extents{})
	if err != nil {
		return 0, v.faultOf("type", err)
	}
	return size, nil
}

func (v *verifier) methods() error {
	list := v.p.Methods
	if err := v.atMost("methods", len(list), MaxMethods); err != nil {
		return err
	}
	v.updater = make([]int32, len(v.p.Slots))
	for i := range list {
		v.enter("methods", i)
		if err := v.method(&list[i], int32(i)); err != nil {
			return err
		}
		v.leave()
	}
	return v.checkUnique("methods", len(list), func(i int32) string { return list[i].Name })
}
