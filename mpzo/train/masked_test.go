package train_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"zeroth/internal/testdata"
	"zeroth/mpzo/data"
)

// The loss at a mask is −log softmax of PyTorch's logits at that very position:
// of RoBERTa, which sees both sides of it.
func TestMaskedLossIsThatOfTheMasksPosition(t *testing.T) {
	folder := testdata.Shared(t, "models/tiny-random-roberta")
	var reference struct {
		IDs []int32 `json:"input_ids"`
	}
	text, err := os.ReadFile(folder + "/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(folder + "/logits.f32")
	if err != nil {
		t.Fatal(err)
	}
	vocabulary := len(raw) / 4 / len(reference.IDs)
	logits := make([]float64, len(raw)/4)
	for i := range logits {
		logits[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	words := [][]int32{{7}, {228}, {299}}
	var set []data.Example
	for _, mask := range []int{0, 5, len(reference.IDs) - 1} {
		set = append(set, data.Example{Masked: reference.IDs, Mask: mask, Candidates: words, Gold: 1})
	}
	p := link(t, built(t, "tiny-random-roberta"), gaussianLoRA(2))
	var b data.Batch
	if err := b.PackChoices(set, []int{0, 1, 2}); err != nil {
		t.Fatal(err)
	}
	for name, registry := range backends(t) {
		m := bind(t, p, registry, sizes(&b, 1, 1), 1)
		must(t, m.Init(1)) // B is zero: the model as it was trained
		nll, err := m.RowLosses(context.Background(), &b)
		if err != nil {
			t.Fatal(err)
		}
		for i, example := range set {
			row := logits[example.Mask*vocabulary : (example.Mask+1)*vocabulary]
			sum := 0.0
			for _, logit := range row {
				sum += math.Exp(logit)
			}
			for k, word := range words {
				near(t, name+": loss of a word", float64(nll[3*i+k]), math.Log(sum)-row[word[0]], 1e-4)
			}
		}
	}
}
