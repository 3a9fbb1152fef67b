package program

import "zeroth/runtime/op"

// nonzeroPadding looks for bits that are not zero where a constant in the
// Panels16 layout has no element: in the rows past M of its last panel and in
// the columns past K. chunk is the part of the constant's data that begins at
// byte from. It returns the byte's offset in the data, or -1; other layouts
// have no padding.
func nonzeroPadding(t op.Type, from int, chunk []byte) int {
	if t.Layout != op.Panels16 || len(chunk) == 0 {
		return -1
	}
	p := t.Panels()
	s := padding{panels: p, from: int64(from), chunk: chunk, at: -1}
	s.words()
	s.rows(p.Scales, p.RowScales, p.GroupScaleBytes()/max(1, int64(p.Groups)*op.PanelRows))
	s.rows(p.RowScales, p.Bytes, 4)
	return int(s.at)
}

// padding is a search for the first byte that should be zero and is not.
type padding struct {
	panels op.Panels
	from   int64
	chunk  []byte
	at     int64 // or -1
}

// filled is the number of rows of the last panel that are real.
func (s *padding) filled() int64 { return int64((s.panels.M-1)%op.PanelRows) + 1 }

// words searches the words: whole words of rows past M, and those of the words
// past the last whole one of K.
func (s *padding) words() {
	p := &s.panels
	const vector = op.PanelRows * 4
	s.rows(0, p.Scales, 4)
	whole := int64(p.K / p.DType.Word())
	if whole == int64(p.Words) {
		return
	}
	for panel := range int64(p.Count) {
		first := panel*p.PanelBytes() + whole*vector
		s.each(first, (panel+1)*p.PanelBytes(), func(at int64) byte {
			k := int(whole+(at-first)/vector) * p.DType.Word()
			return columnMask(p.DType, int(at%4), p.K-k)
		})
	}
}

// columnMask has the bits of byte b of a word that belong to columns from the
// given number on.
func columnMask(d op.DType, b, columns int) byte {
	switch d {
	case op.BF16:
		if b/2 >= columns {
			return 0xff
		}
	case op.I8:
		if b >= columns {
			return 0xff
		}
	case op.Q4, op.NF4:
		mask := byte(0)
		if b >= columns {
			mask |= 0x0f
		}
		if 4+b >= columns {
			mask |= 0xf0
		}
		return mask
	}
	return 0
}

// rows searches bytes [first, end), vectors of 16 items of itemBytes, for items
// of rows past M. Only the last panel, at the end, has any.
func (s *padding) rows(first, end, itemBytes int64) {
	if filled := s.filled(); filled < op.PanelRows && end > first {
		last := end - (end-first)/int64(s.panels.Count)
		s.each(last, end, func(at int64) byte {
			if (at-first)/itemBytes%op.PanelRows >= filled {
				return 0xff
			}
			return 0
		})
	}
}

// each holds the bytes of the chunk within [first, end) against a mask of the
// bits that must be zero.
func (s *padding) each(first, end int64, mask func(at int64) byte) {
	first, end = max(first, s.from), min(end, s.from+int64(len(s.chunk)))
	for at := first; at < end && (s.at < 0 || at < s.at); at++ {
		if b := s.chunk[at-s.from]; b != 0 && b&mask(at) != 0 {
			s.at = at
		}
	}
}
