package op

// PanelRows is the number of matrix rows in one panel of the Panels16 layout.
const PanelRows = 16

// Panels says where the parts of a weight matrix W [M, K] lie in the Panels16
// layout: ceil(M/16) panels of 16 rows, each a sequence of 32-bit words,
// K-major, and after the words of all panels their scales.
//
//	word g of row m:  32-bit word (m/16·Words + g)·16 + m%16
//
// A word holds the elements of Word consecutive columns from g·Word on, in
// ascending bytes: one f32, two bf16, four i8 or eight 4-bit codes. Byte b of a
// word of 4-bit codes has that of column b in its low and of column 4 + b in its
// high half. So a vector of 16 words is a step along K for 16 rows, whatever the
// instructions: FMA, VPDPBUSD and SDOT take it as it lies, and one file serves
// every processor.
//
//	I8:  scales f32 [M16]; value = code · scale[m]
//	Q4:  scales f16 [M/16, Groups, 16]; value = (code − 8) · scale[m/16, k/32, m%16]
//	NF4: scales u8 [M/16, Groups, 16], then row scales f32 [M16];
//	     value = quant.LevelNF4[code]/127 · scale[m/16, k/64, m%16]/255 · rowScale[m]
//
// M16 is M rounded up to a multiple of 16. What stands for no element of W, the
// rows past M and the columns past K, is zero bits throughout.
type Panels struct {
	DType     DType
	M, K      int
	Count     int   // panels: ceil(M/16)
	Words     int   // words of a row: K rounded up to whole words and groups
	Groups    int   // groups of a row that have a scale of their own, or 0
	Scales    int64 // offset of the scales in bytes: the size of all words
	RowScales int64 // offset of the row scales in bytes: Scales where there are no groups
	Bytes     int64 // size of everything
}

// Panels is the geometry of t, which must be a weight matrix in the Panels16
// layout that passes Check.
func (t Type) Panels() Panels {
	d := t.DType
	p := Panels{DType: d, M: t.Shape[0].Offset, K: t.Shape[1].Offset}
	p.Count = (p.M + PanelRows - 1) / PanelRows
	groups := (p.K + d.Group() - 1) / d.Group()
	p.Words = groups * (d.Group() / d.Word())
	p.Scales = int64(p.Count) * p.PanelBytes()
	p.RowScales = p.Scales
	p.Bytes = p.Scales
	switch d {
	case I8:
		p.Bytes += int64(p.Count) * PanelRows * 4
	case Q4:
		p.Groups = groups
		p.RowScales += int64(p.Count) * p.GroupScaleBytes()
		p.Bytes = p.RowScales
	case NF4:
		p.Groups = groups
		p.RowScales += int64(p.Count) * p.GroupScaleBytes()
		p.Bytes = p.RowScales + int64(p.Count)*PanelRows*4
	}
	return p
}

// PanelBytes is the size of the words of one panel.
func (p *Panels) PanelBytes() int64 { return int64(p.Words) * PanelRows * 4 }

// GroupScaleBytes is the size of the groups' scales of one panel.
func (p *Panels) GroupScaleBytes() int64 {
	switch p.DType {
	case Q4:
		return int64(p.Groups) * PanelRows * 2
	case NF4:
		return int64(p.Groups) * PanelRows
	}
	return 0
}

// RowScaleBytes is the size of the row scales of one panel.
func (p *Panels) RowScaleBytes() int64 {
	if p.DType == I8 || p.DType == NF4 {
		return PanelRows * 4
	}
	return 0
}
