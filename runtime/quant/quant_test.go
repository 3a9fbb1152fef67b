package quant

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/internal/half"
	"zeroth/runtime/op"
)

func geometry(d op.DType, M, K int) op.Panels {
	return op.Type{DType: d, Layout: op.Panels16, Shape: []op.Dim{op.C(M), op.C(K)}}.Panels()
}

// encode brings a matrix [M, K] into panels of type d.
func encode(t testing.TB, w []float32, d op.DType, M, K int) ([]byte, op.Panels) {
	t.Helper()
	p := geometry(d, M, K)
	data := make([]byte, p.Bytes)
	for i := range data {
		data[i] = 0xa5
	}
	for i := range p.Count {
		n := min(op.PanelRows, M-i*op.PanelRows)
		if err := PanelOf(data, &p, i).Encode(&p, w[i*op.PanelRows*K:], n); err != nil {
			t.Fatal(err)
		}
	}
	return data, p
}

func random(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := make([]float32, n)
	for i := range w {
		w[i] = float32(rng.NormFloat64())
	}
	return w
}

// The error of each type on normal values, by what theory expects. i8: the
// largest of K = 256 values is near 2.8, so a step of 2.8/127 and a mean square
// error of step²/12 = 4e-5. 4-bit figures of block formats on normal weights lie
// near 1 % (arXiv 2305.14314 has nf4 below q4's evenly spaced levels).
func TestErrorsAreOfTheirTypesSize(t *testing.T) {
	const M, K = 64, 256
	w := random(1, M*K)
	most := map[op.DType]float64{op.F32: 0, op.BF16: 3e-6, op.I8: 8e-5, op.NF4: 9.5e-3, op.Q4: 9.5e-3}
	for _, d := range op.WeightTypes() {
		data, p := encode(t, w, d, M, K)
		row, sum := make([]float32, K), 0.0
		for m := range M {
			DecodeRow(row, data, &p, m)
			for k, v := range row {
				e := float64(v) - float64(w[m*K+k])
				sum += e * e
			}
		}
		if nmse := sum / (M * K); nmse > most[d] {
			t.Errorf("%s: mean square error %.3g, at most %.3g", d, nmse, most[d])
		} else if d != op.F32 && nmse < most[d]/20 {
			t.Errorf("%s: mean square error %.3g is too good to be true", d, nmse)
		}
	}
}

// Columns and rows decode to the same bits, at every ragged shape, and what
// stands for no element is zero.
func TestColumnsAgreeWithRows(t *testing.T) {
	for _, d := range op.WeightTypes() {
		for _, M := range []int{1, 15, 16, 17, 33} {
			for _, K := range []int{1, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 130} {
				data, p := encode(t, random(uint64(M*1000+K), M*K), d, M, K)
				row, columns := make([]float32, K), make([]float32, K*op.PanelRows)
				for m := range M {
					DecodeRow(row, data, &p, m)
					if m%op.PanelRows == 0 {
						for k0 := 0; k0 < K; k0 += 64 {
							PanelOf(data, &p, m/op.PanelRows).DecodeColumns(columns[k0*op.PanelRows:], &p, k0, min(k0+64, K))
						}
					}
					for k, v := range row {
						if got := columns[k*op.PanelRows+m%op.PanelRows]; got != v {
							t.Fatalf("%s [%d, %d]: row %d column %d: %g by row, %g by column", d, M, K, m, k, v, got)
						}
					}
				}
			}
		}
	}
}

// Encoding what was decoded gives the same values: a matrix that is exported
// twice does not drift. NF4's group scales are rounded up or down, so a second
// rounding may move a value by half a level.
func TestEncodingIsStable(t *testing.T) {
	const M, K = 17, 130
	for _, d := range []op.DType{op.F32, op.BF16, op.I8, op.Q4} {
		data, p := encode(t, random(9, M*K), d, M, K)
		once := make([]float32, M*K)
		for m := range M {
			DecodeRow(once[m*K:(m+1)*K], data, &p, m)
		}
		again, _ := encode(t, once, d, M, K)
		row := make([]float32, K)
		for m := range M {
			DecodeRow(row, again, &p, m)
			for k, v := range row {
				if math.Abs(float64(v-once[m*K+k])) > 1e-6*math.Abs(float64(v)) {
					t.Fatalf("%s: row %d column %d: %g, then %g", d, m, k, once[m*K+k], v)
				}
			}
		}
	}
}

// Byte for byte, as the doc of op.Panels says.
func TestLayoutByHand(t *testing.T) {
	w := make([]float32, 17*9)
	w[16*9+5] = 2 // row 16, column 5: panel 1, row 0 of it
	data, p := encode(t, w, op.I8, 17, 9)
	if p.Words != 3 || p.Bytes != 2*3*64+2*64 {
		t.Fatalf("%d words, %d bytes", p.Words, p.Bytes)
	}
	if at := (3+1)*64 + 1; data[at] != 127 {
		t.Errorf("byte %d is %d, want 127", at, data[at])
	}
	if row := make([]float32, 9); true {
		DecodeRow(row, data, &p, 16)
		if row[5] != float32(2)/127*127 {
			t.Errorf("decoded %g", row[5])
		}
	}
	w[16*9+5] = -2 // q4: the furthest value is at level −8, code 0; zeros have code 8
	data, p = encode(t, w, op.Q4, 17, 9)
	if p.Words != 4 || p.Groups != 1 || p.Bytes != 2*4*64+2*32 {
		t.Fatalf("%d words, %d groups, %d bytes", p.Words, p.Groups, p.Bytes)
	}
	panel := PanelOf(data, &p, 1)
	if panel.Words[1] != 0x08 || panel.Words[0] != 0x88 || panel.Words[64] != 0x08 || panel.Words[65] != 0 {
		t.Errorf("codes % x and % x", panel.Words[:4], panel.Words[64:68])
	}
	if s := half.ToFloat(uint16(panel.Scales[0]) | uint16(panel.Scales[1])<<8); s != 0.25 {
		t.Errorf("scale %g, want 0.25", s)
	}
}

func TestValuesWithoutCode(t *testing.T) {
	for _, d := range []op.DType{op.I8, op.Q4, op.NF4} {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			w := random(3, 3*40)
			w[2*40+33] = float32(v)
			p := geometry(d, 3, 40)
			err := NewPanel(&p).Encode(&p, w, 3)
			if !errors.Is(err, ErrValue) {
				t.Errorf("%s of %g: %v", d, v, err)
			}
		}
	}
	p := geometry(op.Q4, 1, 1)
	if err := NewPanel(&p).Encode(&p, []float32{1e9}, 1); !errors.Is(err, ErrValue) {
		t.Errorf("1e9 as q4: %v", err)
	}
	for _, d := range op.WeightTypes() { // the smallest numbers
		p := geometry(d, 1, 65)
		w := make([]float32, 65)
		w[0], w[64] = 1e-45, -1e-40
		panel, row := NewPanel(&p), make([]float32, 65)
		if err := panel.Encode(&p, w, 1); err != nil {
			t.Errorf("%s: %v", d, err)
		}
		DecodeRow(row, append(append(panel.Words, panel.Scales...), panel.RowScales...), &p, 0)
		for k, v := range row {
			if math.Abs(float64(v)) > 1e-39 || v != v {
				t.Errorf("%s: column %d is %g", d, k, v)
			}
		}
	}
}

// Whatever bytes a file holds, decoding stays in its buffers.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(6), uint8(17), uint8(65), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, d, M, K uint8, fill []byte) {
		dtype := op.DType(d)
		if !dtype.Weight() || M == 0 || K == 0 {
			return
		}
		p := geometry(dtype, int(M), int(K))
		data := make([]byte, p.Bytes)
		for i := range data {
			if len(fill) > 0 {
				data[i] = fill[i%len(fill)]
			}
		}
		row, columns := make([]float32, K), make([]float32, int(K)*op.PanelRows)
		for m := range int(M) {
			DecodeRow(row, data, &p, m)
		}
		PanelOf(data, &p, p.Count-1).DecodeColumns(columns, &p, 0, int(K))
	})
}

func BenchmarkEncode(b *testing.B) {
	const K = 2048
	w := random(1, op.PanelRows*K)
	for _, d := range op.WeightTypes() {
		b.Run(fmt.Sprint(d), func(b *testing.B) {
			p := geometry(d, op.PanelRows, K)
			panel := NewPanel(&p)
			b.SetBytes(int64(len(w) * 4))
			for b.Loop() {
				if err := panel.Encode(&p, w, op.PanelRows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The code of a value is that of the nearest level, the lower one where two are
// equally near.
func TestNearestNF4(t *testing.T) {
	check := func(v, unit float32) {
		best, least := 0, math.Inf(1)
		for code, level := range LevelsNF4 {
			if d := math.Abs(float64(v)/float64(unit) - float64(level)); d < least {
				best, least = code, d
			}
		}
		if got := nearestNF4(v, unit); int(got) != best {
			t.Errorf("%g of unit %g: code %d, want %d", v, unit, got, best)
		}
	}
	for i := -4 * 140; i <= 4*140; i++ {
		for _, unit := range []float32{1, 0.25, 1024} {
			check(float32(i)/4*unit, unit) // levels and the middles between them
		}
	}
	for _, v := range random(9, 10000) {
		check(50*v, 0.37)
	}
	if low, high := nearestNF4(-math.MaxFloat32, 1), nearestNF4(math.MaxFloat32, 1); low != 0 || high != 15 {
		t.Errorf("far away: codes %d and %d", low, high)
	}
}

// What is reported as lost is what decoding shows.
func TestLost(t *testing.T) {
	const M, K = 19, 150
	w := random(7, M*K)
	w[5] = float32(math.Inf(1)) // bf16 keeps it; it counts for nothing
	for _, d := range []op.DType{op.F32, op.BF16, op.I8, op.Q4, op.NF4} {
		if d.Bytes() < 2 {
			w[5] = 3
		}
		data, p := encode(t, w, d, M, K)
		var got, want Error
		row := make([]float32, K)
		for m := range M {
			if m%op.PanelRows == 0 {
				got.Add(PanelOf(data, &p, m/op.PanelRows).Lost(&p, w[m*K:], min(op.PanelRows, M-m)))
			}
			DecodeRow(row, data, &p, m)
			for k, v := range row {
				if e := float64(v) - float64(w[m*K+k]); e-e == 0 {
					want.Add(Error{Squared: e * e, Energy: float64(w[m*K+k]) * float64(w[m*K+k]), Largest: math.Abs(e)})
				}
			}
		}
		if math.Abs(got.Relative()-want.Relative()) > 1e-9 || got.Largest != want.Largest || (got.Relative() == 0) != (d == op.F32) {
			t.Errorf("%s: %+v, want %+v", d, got, want)
		}
	}
}
