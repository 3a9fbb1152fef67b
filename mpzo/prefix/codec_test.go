package prefix_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/internal/half"
	"zeroth/mpzo/prefix"
)

// decoded takes values through the codec.
func decoded(t *testing.T, c prefix.Codec, tokens int, values [][]float32) [][]float32 {
	t.Helper()
	out := make([][]float32, len(values))
	for i := range values {
		out[i] = make([]float32, len(values[i]))
	}
	if err := c.Decode(c.Append(nil, tokens, values), tokens, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCodecRounds(t *testing.T) {
	c := prefix.Codec{Columns: []int{3, 5}}
	random := rand.New(rand.NewPCG(1, 2))
	const tokens = 7
	values := [][]float32{make([]float32, 3*tokens), make([]float32, 5*tokens)}
	for _, v := range values {
		for i := range v {
			v[i] = float32(random.NormFloat64() * 10)
		}
	}
	got := decoded(t, c, tokens, values)
	for i, v := range values {
		for k := range v {
			if want := half.Round(v[k]); got[i][k] != want {
				t.Errorf("value %d, element %d: %g, want %g as binary16 has it", i, k, got[i][k], want)
			}
		}
	}
	again := decoded(t, c, tokens, got)
	for i := range got {
		for k := range got[i] {
			if again[i][k] != got[i][k] {
				t.Fatalf("what was rounded is rounded again: %g to %g", got[i][k], again[i][k])
			}
		}
	}
}

// Rows that binary16 cannot hold are kept to the bit; those beside them are
// rounded.
func TestCodecKeepsWhatIsNoHalf(t *testing.T) {
	c := prefix.Codec{Columns: []int{2}}
	nan := float32(math.NaN())
	rows := [][2]float32{
		{70000.5, 0.1},
		{-65520, 1.0 / 3},
		{float32(math.Inf(-1)), 0.1},
		{nan, 0.1},
		{3e-6, -1.0000001e-5},
		{1.0 / 3, 65504},
		{0, 0},
		{0x1p-14, 1e-7},
	}
	values := [][]float32{nil}
	for _, r := range rows {
		values[0] = append(values[0], r[:]...)
	}
	got := decoded(t, c, len(rows), values)[0]
	for i, v := range values[0] {
		want := v
		if i/2 >= 5 {
			want = half.Round(v)
		}
		if math.Float32bits(got[i]) != math.Float32bits(want) {
			t.Errorf("row %d: %g, want %g of %g", i/2, got[i], want, v)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	c := prefix.Codec{Columns: []int{2, 1}}
	good := c.Append(nil, 3, [][]float32{{1, 2, 3, 4, 1e9, 6}, {7, 8, 9}})
	out := [][]float32{make([]float32, 6), make([]float32, 3)}
	if err := c.Decode(good, 3, out); err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if err := c.Decode(good[:n], 3, out); !errors.Is(err, prefix.ErrPayload) {
			t.Fatalf("%d of %d bytes: %v", n, len(good), err)
		}
	}
	if err := c.Decode(append(good, 0), 3, out); !errors.Is(err, prefix.ErrPayload) {
		t.Errorf("a byte more: %v", err)
	}
	good[1] = 2
	if err := c.Decode(good, 3, out); !errors.Is(err, prefix.ErrPayload) {
		t.Errorf("an unknown kind: %v", err)
	}
}
