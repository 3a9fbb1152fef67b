package adapter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"zeroth/internal/safetensors"
	"zeroth/internal/testdata"
)

func TestRowOrder(t *testing.T) {
	// Two heads of 6 rows, one column; the value tells head and row.
	interleaved := []float32{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}
	half := []float32{0, 2, 4, 1, 3, 5, 10, 12, 14, 11, 13, 15}
	got, err := InterleavedToHalf(interleaved, 1, 6)
	if err != nil || !slices.Equal(got, half) {
		t.Errorf("to half: %v, %v", got, err)
	}
	got, err = HalfToInterleaved(half, 1, 6)
	if err != nil || !slices.Equal(got, interleaved) {
		t.Errorf("to interleaved: %v, %v", got, err)
	}
	got, err = InterleavedToHalf([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 4)
	if err != nil || !slices.Equal(got, []float32{1, 2, 5, 6, 3, 4, 7, 8}) {
		t.Errorf("two columns: %v, %v", got, err)
	}
}

// Rotating neighbours in one order and halves in the other gives the same score
// of a query and a key.
func TestRowOrderKeepsAttentionScores(t *testing.T) {
	const headDim = 8
	query, key := make([]float32, headDim), make([]float32, headDim)
	for i := range headDim {
		query[i], key[i] = float32(math.Sin(float64(3*i+1))), float32(math.Cos(float64(5*i+2)))
	}
	rotate := func(x []float32, position int, pair func(i int) (int, int)) []float64 {
		out := make([]float64, headDim)
		for i := range headDim / 2 {
			angle := float64(position) * math.Pow(10000, -2*float64(i)/headDim)
			sin, cos := math.Sincos(angle)
			first, second := pair(i)
			out[first] = float64(x[first])*cos - float64(x[second])*sin
			out[second] = float64(x[first])*sin + float64(x[second])*cos
		}
		return out
	}
	dot := func(a, b []float64) (sum float64) {
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	neighbours := func(i int) (int, int) { return 2 * i, 2*i + 1 }
	halves := func(i int) (int, int) { return i, i + headDim/2 }
	queryHalf, errQuery := InterleavedToHalf(query, 1, headDim)
	keyHalf, errKey := InterleavedToHalf(key, 1, headDim)
	if err := errors.Join(errQuery, errKey); err != nil {
		t.Fatal(err)
	}
	want := dot(rotate(query, 9, neighbours), rotate(key, 4, neighbours))
	got := dot(rotate(queryHalf, 9, halves), rotate(keyHalf, 4, halves))
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("score %v in halves, %v interleaved", got, want)
	}
}

func TestRowOrderRefuses(t *testing.T) {
	for _, c := range []struct{ values, columns, headDim int }{
		{8, 0, 4}, {8, -1, 4}, {8, 1, 0}, {8, 1, -2}, {9, 1, 3}, {9, 2, 4}, {12, 2, 4}, {7, 1, 4},
	} {
		if _, err := InterleavedToHalf(make([]float32, c.values), c.columns, c.headDim); !errors.Is(err, ErrArgument) {
			t.Errorf("%+v: got %v, want ErrArgument", c, err)
		}
	}
}

// stories260K is there in llama2.c's order and in Hugging Face's.
func TestRowOrderOfARealModel(t *testing.T) {
	checkpoint, err := os.ReadFile(testdata.Shared(t, "models/stories260K/stories260K.bin"))
	if err != nil {
		t.Fatal(err)
	}
	model, err := safetensors.Open(testdata.Shared(t, "models/stories260K/model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	const dim, layers, heads, kvHeads, vocab, headDim = 64, 5, 8, 4, 512, 8
	floats := func(at, count int) []float32 { // at and count in elements after the header of 7 int32
		out := make([]float32, count)
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(checkpoint[4*(7+at+i):]))
		}
		return out
	}
	queryStart := vocab*dim + layers*dim // after the embedding and the attention norms
	keyStart := queryStart + layers*dim*dim
	for layer := range layers {
		for name, rows := range map[string][]float32{
			"q_proj": floats(queryStart+layer*dim*dim, heads*headDim*dim),
			"k_proj": floats(keyStart+layer*dim*kvHeads*headDim, kvHeads*headDim*dim),
		} {
			want := make([]float32, len(rows))
			if err := model.ReadF32(fmt.Sprintf("model.layers.%d.self_attn.%s.weight", layer, name), want); err != nil {
				t.Fatal(err)
			}
			got, err := InterleavedToHalf(rows, dim, headDim)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("layer %d %s: not Hugging Face's rows (%v)", layer, name, err)
			}
			back, err := HalfToInterleaved(want, dim, headDim)
			if err != nil || !slices.Equal(back, rows) {
				t.Errorf("layer %d %s: not llama2.c's rows (%v)", layer, name, err)
			}
		}
	}
}
