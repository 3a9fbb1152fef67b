package quant

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"zeroth/internal/half"
	"zeroth/runtime/op"
)

// ErrValue is wrapped when a weight has no code: it is NaN, infinite, or too
// large for its scale's type.
var ErrValue = errors.New("weight cannot be quantised")

// Panel is one panel of a matrix: its words and its share of the scales.
type Panel struct {
	Words     []byte // [Words, 16] of 4 bytes
	Scales    []byte // [Groups, 16] f16 for Q4, u8 for NF4, else empty
	RowScales []byte // [16] f32 for I8 and NF4, else empty
}

// PanelOf finds panel i in a matrix's data.
func PanelOf(data []byte, p *op.Panels, i int) Panel {
	cut := func(from, each int64) []byte {
		at := from + int64(i)*each
		return data[at : at+each : at+each]
	}
	return Panel{
		Words:     cut(0, p.PanelBytes()),
		Scales:    cut(p.Scales, p.GroupScaleBytes()),
		RowScales: cut(p.RowScales, p.RowScaleBytes()),
	}
}

// NewPanel makes an empty panel of a matrix.
func NewPanel(p *op.Panels) Panel {
	return Panel{
		Words:     make([]byte, p.PanelBytes()),
		Scales:    make([]byte, p.GroupScaleBytes()),
		RowScales: make([]byte, p.RowScaleBytes()),
	}
}

// Encode writes rows [n, K], row-major and n at most 16, to a panel, and zeros
// where there is no element. It fails with ErrValue where a value cannot be
// represented, naming row and column; f32 and bf16 take any.
func (dst Panel) Encode(p *op.Panels, rows []float32, n int) error {
	clear(dst.Words)
	clear(dst.Scales)
	clear(dst.RowScales)
	for i := range n {
		row := rows[i*p.K : (i+1)*p.K]
		var err error
		switch p.DType {
		case op.F32:
			for k, v := range row {
				binary.LittleEndian.PutUint32(dst.Words[(k*op.PanelRows+i)*4:], math.Float32bits(v))
			}
		case op.BF16:
			for k, v := range row {
				binary.LittleEndian.PutUint16(dst.Words[(k/2*op.PanelRows+i)*4+k%2*2:], half.BrainFromFloat(v))
			}
		case op.I8:
			err = dst.encodeI8(row, i)
		case op.Q4:
			err = dst.encodeQ4(row, i)
		case op.NF4:
			err = dst.encodeNF4(row, i)
		default:
			err = fmt.Errorf("%w: no weight type %s", op.ErrInvalid, p.DType)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
	}
	return nil
}

// largest is the greatest magnitude of a row. It fails where one is not finite.
func largest(row []float32) (float32, error) {
	most := float32(0)
	for k, v := range row {
		if m := float32(math.Abs(float64(v))); m > most {
			most = m
		} else if m != m {
			return 0, fmt.Errorf("column %d: %w: NaN", k, ErrValue)
		}
	}
	if math.IsInf(float64(most), 0) {
		return 0, fmt.Errorf("%w: an element is infinite", ErrValue)
	}
	return most, nil
}

func (dst Panel) encodeI8(row []float32, i int) error {
	most, err := largest(row)
	if err != nil {
		return err
	}
	scale := most / 127
	binary.LittleEndian.PutUint32(dst.RowScales[i*4:], math.Float32bits(scale))
	if scale == 0 {
		return nil
	}
	for k, v := range row {
		code := max(-127, min(127, math.RoundToEven(float64(v)/float64(scale))))
		dst.Words[(k/4*op.PanelRows+i)*4+k%4] = byte(int8(code))
	}
	return nil
}

// setCode writes the 4-bit code of column k of row i.
func (dst Panel) setCode(i, k int, code byte) {
	dst.Words[(k/8*op.PanelRows+i)*4+k%4] |= code << (k % 8 / 4 * 4)
}

// code reads the 4-bit code of column k of row i.
func (dst Panel) code(i, k int) byte {
	return dst.Words[(k/8*op.PanelRows+i)*4+k%4] >> (k % 8 / 4 * 4) & 15
}

// DecodeRow writes row m of a matrix to dst, which has K elements.
func DecodeRow(dst []float32, data []byte, p *op.Panels, m int) {
	panel := PanelOf(data, p, m/op.PanelRows)
	i := m % op.PanelRows
	switch p.DType {
	case op.F32:
		for k := range dst {
			dst[k] = math.Float32frombits(binary.LittleEndian.Uint32(panel.Words[(k*op.PanelRows+i)*4:]))
		}
	case op.BF16:
		for k := range dst {
			dst[k] = half.BrainToFloat(binary.LittleEndian.Uint16(panel.Words[(k/2*op.PanelRows+i)*4+k%2*2:]))
		}
	case op.I8:
		scale := panel.rowScale(i)
		for k := range dst {
			dst[k] = float32(int8(panel.Words[(k/4*op.PanelRows+i)*4+k%4])) * scale
		}
	case op.Q4, op.NF4:
		group := p.DType.Group()
		for k := 0; k < len(dst); k += group {
			scale := panel.GroupScale(p, k/group, i)
			levels := &LevelsQ4
			if p.DType == op.NF4 {
				levels = &LevelsNF4
			}
			for j := k; j < min(k+group, len(dst)); j++ {
				dst[j] = float32(levels[panel.code(i, j)]) * scale
			}
		}
	}
}

// DecodeColumns writes columns [k0, k1) of a panel to dst[(k−k0)·16 + i], all 16
// rows of it.
func (src Panel) DecodeColumns(dst []float32, p *op.Panels, k0, k1 int) {
	const rows = op.PanelRows
	switch p.DType {
	case op.F32:
		for j := range dst[:(k1-k0)*rows] {
			dst[j] = math.Float32frombits(binary.LittleEndian.Uint32(src.Words[(k0*rows+j)*4:]))
		}
	case op.BF16:
		for k := k0; k < k1; k++ {
			for i := range rows {
				dst[(k-k0)*rows+i] = half.BrainToFloat(binary.LittleEndian.Uint16(src.Words[(k/2*rows+i)*4+k%2*2:]))
			}
		}
	case op.I8:
		var scales [rows]float32
		for i := range scales {
			scales[i] = src.rowScale(i)
		}
		for k := k0; k < k1; k++ {
			for i, scale := range scales {
				dst[(k-k0)*rows+i] = float32(int8(src.Words[(k/4*rows+i)*4+k%4])) * scale
			}
		}
	case op.Q4, op.NF4:
		src.decodeCodes(dst, p, k0, k1)
	}
}

func (src Panel) decodeCodes(dst []float32, p *op.Panels, k0, k1 int) {
	const rows = op.PanelRows
	levels, group := &LevelsQ4, p.DType.Group()
	if p.DType == op.NF4 {
		levels = &LevelsNF4
	}
	var scales [rows]float32
	for k := k0; k < k1; k++ {
		if k == k0 || k%group == 0 {
			for i := range scales {
				scales[i] = src.GroupScale(p, k/group, i)
			}
		}
		for i, scale := range scales {
			dst[(k-k0)*rows+i] = float32(levels[src.code(i, k)]) * scale
		}
	}
}

func (src Panel) rowScale(i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(src.RowScales[i*4:]))
}

// GroupScale is what the levels of group g of row i are multiplied with: for Q4
// its f16 scale, for NF4 u8 · (rowScale / (255·127)), both rounded to f32.
func (src Panel) GroupScale(p *op.Panels, g, i int) float32 {
	at := g*op.PanelRows + i
	if p.DType == op.NF4 {
		return float32(src.Scales[at]) * (src.rowScale(i) / (255 * 127))
	}
	return half.ToFloat(binary.LittleEndian.Uint16(src.Scales[at*2:]))
}
