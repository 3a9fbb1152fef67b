package executor

import (
	"fmt"

	"zeroth/runtime/kernel"
)

// slot is a slot's storage on the host and where its newest contents are.
type slot struct {
	data   []byte
	newest place
}

// place says where the newest contents of a slot are.
type place uint8

const (
	onBoth place = iota
	onHost
	onDelegate
)

// ReadSlot views slot i, which must be of f32 and row-major, as the last run left
// it. The view stands until the next run and is not to be written.
func (s *Session) ReadSlot(i int) ([]float32, error) {
	if err := s.toHost(i); err != nil {
		return nil, err
	}
	t := kernel.Tensor{Type: s.prog.Slots[i].Type, Data: s.slots[i].data}
	return t.F32(), nil
}

// WriteSlot views slot i, which must be of f32 and row-major, to be written before
// the next run. What is not written keeps its value.
func (s *Session) WriteSlot(i int) ([]float32, error) {
	view, err := s.ReadSlot(i)
	if err == nil {
		s.slots[i].newest = onHost
	}
	return view, err
}

// SyncSlots brings the host's storage of all slots up to date: that which
// program.Slot.Data gave, too.
func (s *Session) SyncSlots() error {
	for i := range s.slots {
		if err := s.toHost(i); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) toHost(i int) error {
	slot := &s.slots[i]
	if slot.newest != onDelegate {
		return nil
	}
	if err := s.delegated.ReadSlot(i, slot.data); err != nil {
		return fmt.Errorf("slot %s: %w", s.prog.Slots[i].Name, err)
	}
	slot.newest = onBoth
	return nil
}

func (s *Session) toDelegate(i int) error {
	slot := &s.slots[i]
	if slot.newest != onHost {
		return nil
	}
	if err := s.delegated.WriteSlot(i, slot.data); err != nil {
		return fmt.Errorf("slot %s: %w", s.prog.Slots[i].Name, err)
	}
	slot.newest = onBoth
	return nil
}

// slotUse is a slot that a step reads, and may write.
type slotUse struct {
	slot   int
	writes bool
}

// bringSlots moves the slots that a step uses to where it runs.
func (m *Method) bringSlots(s *step) error {
	move := m.session.toHost
	if s.part != nil {
		move = m.session.toDelegate
	}
	for _, use := range s.slots {
		if err := move(use.slot); err != nil {
			return err
		}
	}
	return nil
}

// markSlots notes where a step that was run, or tried, has written.
func (m *Method) markSlots(s *step) {
	newest := onHost
	if s.part != nil {
		newest = onDelegate
	}
	for _, use := range s.slots {
		if use.writes {
			m.session.slots[use.slot].newest = newest
		}
	}
}
