package cpu

import (
	"encoding/binary"
	"math"

	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// codeSlice is a slice of one or two panels of W as bytes.
type codeSlice struct {
	b             []byte
	panel         int
	groups, words int // words of each group
}

// codePanel finds words [v, v+words) of rows [c, c+columns) of W as the
// micro-kernel reads them: in place where they are bytes or bfloat16 in the
// file's order, all else unpacked into s.b. It sets s.scales and s.start.
func (p *codeProduct) codePanel(s *codeSpace, c, columns, v, words int) codeSlice {
	k, w := p.kernel, &p.w.shape
	out := codeSlice{b: s.b, panel: words * op.PanelRows * k.wBytes}
	out.groups, out.words = groupsOf(w, words)
	if w.Groups == 0 && k.widen == nil && v+words <= w.Words {
		out.b, out.panel = p.w.packed[int64(c/op.PanelRows)*w.PanelBytes()+int64(v)*64:], int(w.PanelBytes())
	}
	for j := 0; j < columns; j += op.PanelRows {
		panel := quant.PanelOf(p.w.packed, w, (c+j)/op.PanelRows)
		to := s.b[j/op.PanelRows*words*op.PanelRows*k.wBytes:][:words*op.PanelRows*k.wBytes]
		b := p.codeBytes(s, to, &panel, v, words)
		if k.widen != nil {
			k.widen(to, b)
		}
		p.groupScales(s, &panel, j, columns, v, &out)
		if k.shift != 0 {
			p.starts(s, b, j, columns, &out)
		}
	}
	return out
}

// groupsOf is how many groups words of W are, and the words of each.
func groupsOf(w *op.Panels, words int) (groups, each int) {
	if w.Groups == 0 {
		return 1, words
	}
	each = w.DType.Group() / 4
	return words / each, each
}

// codeBytes gives words [v, v+words) of a panel as bytes: in place where they
// are, else in to, or in s.raw where they will be widened.
func (p *codeProduct) codeBytes(s *codeSpace, to []byte, panel *quant.Panel, v, words int) []byte {
	if p.kernel.widen != nil {
		to = s.raw
	}
	to = to[:words*64]
	switch d := p.w.shape.DType; {
	case d == op.Q4:
		p.unpackCodes(to, panel.Words[v*32:(v+words)*32], &quant.LevelsQ4)
	case d == op.NF4:
		p.unpackCodes(to, panel.Words[v*32:(v+words)*32], &quant.LevelsNF4)
	case v+words <= p.w.shape.Words:
		return panel.Words[v*64:][:words*64]
	default:
		clear(to[copy(to, panel.Words[v*64:]):])
	}
	return to
}

// groupScales decodes the scales of one panel's groups to columns [j, j+16) of
// s.scales [groups, NR].
func (p *codeProduct) groupScales(s *codeSpace, panel *quant.Panel, j, NR, v int, out *codeSlice) {
	to, rows := s.scales[j:], s.rows
	switch p.w.shape.DType {
	case op.I8, op.NF4:
		for i := range rows {
			rows[i] = math.Float32frombits(binary.LittleEndian.Uint32(panel.RowScales[i*4:]))
		}
	case op.BF16:
		for i := range rows {
			rows[i] = 1
		}
	}
	first := v / out.words
	switch p.w.shape.DType {
	case op.Q4:
		p.halfScales(to, NR, panel.Scales[first*32:][:out.groups*32])
	case op.NF4:
		for i := range rows {
			rows[i] /= 255 * 127
		}
		p.byteScales(to, NR, panel.Scales[first*16:][:out.groups*16], (*[16]float32)(rows))
	default:
		copy(to, rows)
	}
}

// starts sets columns [j, j+16) of s.start [groups, NR] to −shift·Σ w.
func (p *codeProduct) starts(s *codeSpace, b []byte, j, NR int, out *codeSlice) {
	p.sumCodes(s.start[j:], NR, b, out.words*64, -p.kernel.shift)
}
