package gpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// part is a tensor on the device, or whole rows of a weight matrix: a matrix of
// its own, in its own layout.
type part struct {
	span        Span
	first, rows int  // of the first axis, for matrices
	half        bool // its elements are f16
	beyondHalf  bool // elements of the matrix cannot be decoded to f16
}

// elementBytes are those of an element in rows.
func elementBytes(half bool) int64 {
	if half {
		return 2
	}
	return 4
}

// split gives the parts of a tensor, their sizes in their spans. It cuts a weight
// matrix that is larger than the limit into parts of whole panels.
func split(t *kernel.Tensor, limit int64, half bool) []part {
	size := int64(total(t)) * elementBytes(half)
	if t.Type.Layout == op.Panels16 {
		size = t.Type.Panels().Bytes
	}
	rows := 0
	if len(t.Shape) > 0 {
		rows = t.Shape[0]
	}
	if size <= limit || !t.Type.Constant() || t.Type.Wide || len(t.Shape) != 2 {
		return []part{{span: Span{Size: max(size, 4)}, rows: rows, half: half}}
	}
	// A row's share of the bytes is the same for all: rows are padded to panels.
	padded := ceilDiv(rows, op.PanelRows) * op.PanelRows
	perPart := max(int(limit/((size+int64(padded)-1)/int64(padded)))/op.PanelRows*op.PanelRows, op.PanelRows)
	var parts []part
	for first := 0; first < rows; first += perPart {
		n := min(perPart, rows-first)
		parts = append(parts, part{span: Span{Size: partBytes(t.Type, n, half)}, first: first, rows: n, half: half})
	}
	return parts
}

// partType is the type of rows of a constant matrix.
func partType(t op.Type, rows int) op.Type {
	t.Shape = []op.Dim{op.C(rows), t.Shape[1]}
	return t
}

func partBytes(t op.Type, rows int, half bool) int64 {
	if t.Layout == op.Panels16 {
		return partType(t, rows).Panels().Bytes
	}
	return int64(rows) * int64(t.Shape[1].Offset) * elementBytes(half)
}

// piece is a run of bytes that lies whole in a tensor and in a part of it. Where that
// is f16 they are those of the tensor, and of the part half as many.
type piece struct{ from, at, bytes int64 }

// rowScales is the last of the pieces of a part in panels: its words, the scales
// of its groups, those of its rows.
const rowScales = 2

// pieces are what a tensor's elements of the moment are in part i.
func pieces(t *kernel.Tensor, parts []part, i int) [3]piece {
	p := &parts[i]
	if t.Type.Layout != op.Panels16 {
		bytes := int64(total(t)) * 4
		if len(parts) > 1 {
			bytes = p.span.Size / elementBytes(p.half) * 4
		}
		return [3]piece{{int64(p.first) * int64(lastExtent(t)) * 4, 0, bytes}}
	}
	from, at := t.Type.Panels(), t.Type.Panels()
	if len(parts) > 1 {
		at = panelsOfRows(from, p.rows)
	}
	before, count := int64(p.first/op.PanelRows), int64(at.Count)
	return [3]piece{
		{before * from.PanelBytes(), 0, count * from.PanelBytes()},
		{from.Scales + before*from.GroupScaleBytes(), at.Scales, count * from.GroupScaleBytes()},
		{from.RowScales + before*from.RowScaleBytes(), at.RowScales, count * from.RowScaleBytes()},
	}
}

// panelsOfRows is the geometry of a part of a matrix; it allocates nothing.
func panelsOfRows(p op.Panels, rows int) op.Panels {
	p.M, p.Count = rows, ceilDiv(rows, op.PanelRows)
	p.Scales = int64(p.Count) * p.PanelBytes()
	p.RowScales = p.Scales + int64(p.Count)*p.GroupScaleBytes()
	p.Bytes = p.RowScales + int64(p.Count)*p.RowScaleBytes()
	return p
}

func lastExtent(t *kernel.Tensor) int {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}
