package conformance

import (
	"bytes"
	"encoding/binary"
	"unsafe"
)

// alignBytes is the alignment of every tensor's storage.
const alignBytes = 64

// guardBytes lie before and after every buffer: more than the widest store of
// any kernel's tail.
const guardBytes = 256

// storage is a buffer between guards. All that is not a value of the present
// run holds a pattern: as f32 a NaN, as i32 an index out of all bounds.
type storage struct {
	whole []byte // guard, data, guard
	data  []byte
	saved []byte // what whole held before the run
}

// newStorage makes an aligned buffer filled with the pattern.
func newStorage(size int) *storage {
	total := (size+3)/4*4 + 2*guardBytes
	raw := make([]byte, total+alignBytes)
	shift := -uintptr(unsafe.Pointer(unsafe.SliceData(raw))) % alignBytes
	whole := raw[shift:][:total:total]
	s := &storage{whole: whole, data: whole[guardBytes:][:size:size]}
	s.poison()
	return s
}

// patternBytes is the period of the pattern.
const patternBytes = 4096

// pattern is word i of the filling: quiet NaNs that differ from their
// neighbours.
func pattern(i int) uint32 { return 0x7fc00000 | uint32(i)*2654435761>>10 | 1 }

// poison fills data and guards with the pattern.
func (s *storage) poison() {
	first := s.whole[:min(patternBytes, len(s.whole))]
	for i := 0; i < len(first); i += 4 {
		binary.NativeEndian.PutUint32(first[i:], pattern(i/4))
	}
	for done := len(first); done < len(s.whole); {
		done += copy(s.whole[done:], s.whole[:done])
	}
}

// save remembers all bytes, to be compared after the run.
func (s *storage) save() { s.saved = append(s.saved[:0], s.whole...) }

// changed returns the first byte, counted from the start of data, that differs
// from what save saw, leaving out the first skip bytes of data.
func (s *storage) changed(skip int) (offset int, ok bool) {
	for _, part := range [][2]int{{0, guardBytes}, {guardBytes + skip, len(s.whole)}} {
		now, before := s.whole[part[0]:part[1]], s.saved[part[0]:part[1]]
		if bytes.Equal(now, before) {
			continue
		}
		for i := range now {
			if now[i] != before[i] {
				return part[0] + i - guardBytes, true
			}
		}
	}
	return 0, false
}

// unwritten returns the first of the first size bytes' words that still holds
// the pattern.
func (s *storage) unwritten(size int) (element int, ok bool) {
	for i := 0; i < size/4; i++ {
		if binary.NativeEndian.Uint32(s.data[4*i:]) == binary.NativeEndian.Uint32(s.saved[guardBytes+4*i:]) {
			return i, true
		}
	}
	return 0, false
}
