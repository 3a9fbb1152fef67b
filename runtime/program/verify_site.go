package program

import "zeroth/runtime/op"

func (v *verifier) sites() error {
	list := v.p.Sites
	if err := v.atMost("sites", len(list), MaxSites); err != nil {
		return err
	}
	owner := make([]int32, len(v.p.Slots)) // of each slot: 1 + the site that has it
	for i := range list {
		v.enter("sites", i)
		if err := v.site(&list[i]); err != nil {
			return err
		}
		if err := v.ownSlots(&list[i], int32(i), owner); err != nil {
			return err
		}
		v.leave()
	}
	if err := v.siteIDs(); err != nil {
		return err
	}
	return v.checkUnique("sites", len(list), func(i int32) string { return list[i].Name })
}

func (v *verifier) site(s *Site) error {
	if err := v.checkName("name", s.Name); err != nil {
		return err
	}
	if err := v.checkName("module", s.Module); err != nil {
		return err
	}
	if s.Layer < -1 || s.Layer > MaxLayer {
		return v.fault(ErrInvalid, "layer", "%d, must be -1 to %d", s.Layer, MaxLayer)
	}
	for _, extent := range [...]struct {
		field string
		n     int
	}{{"out", s.Out}, {"in", s.In}} {
		if extent.n < 1 || extent.n > op.MaxDim {
			return v.fault(ErrInvalid, extent.field, "%d, must be 1 to %d", extent.n, op.MaxDim)
		}
	}
	return nil
}

// ownSlots checks that A and B are both there or both -1, have the shapes of
// a LoRA for the site, and belong to no other.
func (v *verifier) ownSlots(s *Site, index int32, owner []int32) error {
	if s.A == -1 && s.B == -1 {
		return nil
	}
	for _, ref := range [...]struct {
		field string
		slot  int
	}{{"a", s.A}, {"b", s.B}} {
		if ref.slot < 0 || ref.slot >= len(owner) {
			return v.fault(ErrInvalid, ref.field, "slot %d of %d (a and b may only both be -1)", ref.slot, len(owner))
		}
		if other := owner[ref.slot]; other != 0 {
			return v.fault(ErrInvalid, ref.field, "slot %d already belongs to sites[%d]", ref.slot, other-1)
		}
		owner[ref.slot] = index + 1
	}
	a, b := v.p.Slots[s.A].Type, v.p.Slots[s.B].Type
	if a.DType != op.F32 || a.Layout != op.Rows || len(a.Shape) != 2 || a.Shape[1] != op.C(s.In) {
		return v.fault(ErrInvalid, "a", "slot %d is %s, must be f32[1 r %d]", s.A, a, s.In)
	}
	rank := a.Shape[0]
	if rank.Offset > op.MaxRankLoRA {
		return v.fault(ErrInvalid, "a", "slot %d has rank %d, at most %d", s.A, rank.Offset, op.MaxRankLoRA)
	}
	if b.DType != op.F32 || b.Layout != op.Rows || len(b.Shape) != 2 || b.Shape[0] != op.C(s.Out) || b.Shape[1] != rank {
		return v.fault(ErrInvalid, "b", "slot %d is %s, must be f32[1 %d %s]", s.B, b, s.Out, rank)
	}
	return nil
}

func (v *verifier) siteIDs() error {
	first := make(map[uint32]int, len(v.p.Sites))
	for i := range v.p.Sites {
		id := v.p.Sites[i].ID
		if other, twice := first[id]; twice {
			v.enter("sites", i)
			defer v.leave()
			return v.fault(ErrInvalid, "id", "%d is also the id of sites[%d]", id, other)
		}
		first[id] = i
	}
	return nil
}
