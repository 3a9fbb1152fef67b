package gpu

import (
	"fmt"
	"slices"

	"zeroth/internal/bytesize"
	"zeroth/runtime/backend"
	"zeroth/runtime/program"
)

// Measure implements backend.Holder. It counts with the usual tiles where none
// were tried yet: others may take a little more working memory, or less.
func (s *session) Measure(partitions []*backend.Partition) (backend.Memory, error) {
	limits := s.ops.device.Limits()
	m := backend.Memory{Shared: limits.Shared, Other: s.ops.table.Size}
	constants, slots := make(map[int]bool), make(map[int]bool)
	crossing := int64(0)
	for _, p := range partitions {
		e := &executable{session: s, partition: p}
		e.findValues()
		if err := e.measureScratch(nil); err != nil {
			return m, declined(err)
		}
		if err := e.planArena(); err != nil {
			return m, err
		}
		m.Temporaries = max(m.Temporaries, int64(e.plan.Bytes))
		m.Other += int64(e.stageCount) * Alignment
		crossing = max(crossing, e.crossing())
		for i, v := range p.Values {
			switch {
			case v.Kind == program.ConstRef && !constants[v.Ref]:
				constants[v.Ref] = true
				m.Constants += e.values[i].bytes()
			case v.Kind == program.SlotRef && !slots[v.Ref]:
				slots[v.Ref] = true
				m.Slots += e.values[i].bytes()
			}
		}
		for _, v := range slices.Concat(p.Inputs, p.Outputs) {
			m.Values += e.values[v].bytes()
		}
	}
	m.Other += crossing
	if most := limits.MemoryBytes; most > 0 && m.Total() > most {
		return m, declined(fmt.Errorf("%w: %s are needed, it has %s", ErrMemory, bytesize.Precise(m.Total()), bytesize.Precise(most)))
	}
	return m, nil
}

// Held implements backend.Holder.
func (s *session) Held() backend.Memory {
	m := backend.Memory{Shared: s.ops.device.Limits().Shared, Other: s.pool.bytes() + s.ops.table.Size}
	for _, c := range s.constants {
		m.Constants += c.bytes()
	}
	for _, slot := range s.slots {
		if slot != nil {
			m.Slots += slot.bytes()
		}
	}
	m.Other -= m.Constants + m.Slots // the pool's, that are left over
	m.Other += int64(len(s.crossing))
	if s.arena != nil {
		m.Temporaries = s.arena.Size()
	}
	for _, e := range s.executables {
		for _, b := range e.buffers {
			m.Values += b.Size()
		}
		if e.recording != nil {
			m.Other += e.recording.Held()
		}
	}
	if stager, ok := s.ops.device.(Stager); ok {
		m.Other += stager.Staging()
	}
	return m
}

// bytes are those of the tensor's places.
func (m *mirror) bytes() (n int64) {
	for i := range m.parts {
		n += aligned(m.parts[i].span.Size)
	}
	return n
}
