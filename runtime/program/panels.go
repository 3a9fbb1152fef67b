package program

import "zeroth/runtime/op"

// nonzeroPadding looks for a byte that is not zero in the rows past M that
// fill up the last panel of a constant in the Panels16 layout. chunk is the
// part of the constant's data that begins at byte from. It returns the byte's
// offset in the data, or -1; other layouts have no padding.
func nonzeroPadding(t op.Type, from int, chunk []byte) int {
	if t.Layout != op.Panels16 {
		return -1
	}
	rows, depth := t.Shape[0].Offset, t.Shape[1].Offset
	filled := rows % op.PanelRows // rows of the last panel that are real
	if filled == 0 {
		return -1
	}
	rowBytes := t.DType.Bytes()
	columnBytes := op.PanelRows * rowBytes // a panel holds all its rows of one column side by side
	lastPanel := rows / op.PanelRows * depth * columnBytes
	for i := max(0, lastPanel-from); i < len(chunk); i++ {
		if chunk[i] != 0 && (from+i)%columnBytes >= filled*rowBytes {
			return from + i
		}
	}
	return -1
}
