package quant

import (
	"encoding/binary"
	"fmt"
	"math"

	"zeroth/internal/half"
	"zeroth/runtime/op"
)

// LevelsQ4 are the values of the 16 codes of Q4 before their scale.
var LevelsQ4 = [16]int8{-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7}

// LevelsNF4 are the values of the 16 codes of NF4 in 127ths: the levels of
// QLoRA (arXiv 2305.14314, appendix E) rounded to them, so that integer
// instructions can multiply them.
var LevelsNF4 = [16]int8{-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127}

// encodeQ4 chooses for each group the scale that puts the value of largest
// magnitude at level −8, or the one of least squares for the codes that this
// gives, whichever leaves the smaller error.
func (dst Panel) encodeQ4(row []float32, i int) error {
	const group = 32
	if _, err := largest(row); err != nil {
		return err
	}
	for k := 0; k < len(row); k += group {
		values := row[k:min(k+group, len(row))]
		furthest := float32(0)
		for _, v := range values {
			if math.Abs(float64(v)) > math.Abs(float64(furthest)) {
				furthest = v
			}
		}
		first := half.FromFloat(furthest / -8)
		if math.IsInf(float64(half.ToFloat(first)), 0) {
			return fmt.Errorf("columns %d to %d: %w: %g is too large for q4", k, k+len(values)-1, ErrValue, furthest)
		}
		best, codes, least := first, [group]byte{}, math.Inf(1)
		for _, refit := range [2]bool{false, true} {
			scale := first
			if refit {
				scale = leastSquares(values, codes[:])
			}
			var c [group]byte
			if e := codeQ4(values, half.ToFloat(scale), c[:]); e < least {
				best, codes, least = scale, c, e
			}
		}
		binary.LittleEndian.PutUint16(dst.Scales[(k/group*op.PanelRows+i)*2:], best)
		for j := range values {
			dst.setCode(i, k+j, codes[j])
		}
	}
	return nil
}

// codeQ4 finds the nearest codes at a scale, and the sum of their squared errors.
func codeQ4(values []float32, scale float32, codes []byte) float64 {
	inverse := 0.0
	if scale != 0 {
		inverse = 1 / float64(scale)
	}
	sum := 0.0
	for j, v := range values {
		level := max(-8, min(7, math.RoundToEven(float64(v)*inverse)))
		codes[j] = byte(level + 8)
		e := level*float64(scale) - float64(v)
		sum += e * e
	}
	return sum
}

// leastSquares is the f16 scale s that minimises Σ (s·level − v)².
func leastSquares(values []float32, codes []byte) uint16 {
	product, square := 0.0, 0.0
	for j, v := range values {
		level := float64(codes[j]) - 8
		product += level * float64(v)
		square += level * level
	}
	if square == 0 {
		return 0
	}
	return half.FromFloat(float32(product / square))
}

// encodeNF4 scales each group by its largest magnitude, in 255ths of the row's.
func (dst Panel) encodeNF4(row []float32, i int) error {
	const group = 64
	whole, err := largest(row)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(dst.RowScales[i*4:], math.Float32bits(whole))
	for k := 0; k < len(row); k += group {
		values := row[k:min(k+group, len(row))]
		most, _ := largest(values)
		scale := byte(0)
		if most > 0 {
			scale = byte(max(1, math.Round(float64(most)/float64(whole)*255)))
		}
		dst.Scales[k/group*op.PanelRows+i] = scale
		unit := float32(scale) * (whole / (255 * 127))
		for j, v := range values {
			dst.setCode(i, k+j, nearestNF4(v, unit))
		}
	}
	return nil
}

// nearestNF4 is the code whose level times unit is nearest to v, the lower of two.
func nearestNF4(v, unit float32) byte {
	if unit == 0 {
		return 7 // level 0
	}
	x := 2 * float64(v) / float64(unit)
	// Twice the middle between two levels is a whole number, and x is above it
	// where the next whole number is.
	return codesNF4[int(math.Ceil(max(-255, min(255, x))))+255]
}

// codesNF4[n+255] is the code of what lies above (n−1)/2 127ths up to n/2.
var codesNF4 = func() (codes [511]byte) {
	for i := range codes {
		for code := 1; code < 16 && i-255 > int(LevelsNF4[code-1])+int(LevelsNF4[code]); code++ {
			codes[i] = byte(code)
		}
	}
	return codes
}()
