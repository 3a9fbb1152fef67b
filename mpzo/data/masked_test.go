package data

import (
	"strings"
	"testing"
)

// mustMask reads one row for a masked model.
func mustMask(t *testing.T, text string, spec Spec, tokens int) (*Set, maskEncoder) {
	t.Helper()
	encoder := newMaskEncoder()
	set, err := Read("a.tsv", strings.NewReader(text), mustTask(t, spec), encoder, Options{Masked: true, Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	return set, encoder
}

func TestMaskedTruncationKeepsTheMask(t *testing.T) {
	spec := Spec{Template: "{a:cut}?{mask}, {b}", Labels: Labels{{"0", "No"}, {"1", "Yes"}}}
	text := "a\tb\tlabel\none two three four five.\tsix seven\t1\n"
	for tokens, want := range map[int]string{
		12: "<s>one two three four five?<mask>, six seven</s>",
		11: "<s>one two three four?<mask>, six seven</s>",
		8:  "<s>one?<mask>, six seven</s>",
		5:  "<s>?<mask>,</s>",
	} {
		set, encoder := mustMask(t, text, spec, tokens)
		example := set.Examples[0]
		if got := encoder.text(example.Masked); got != want {
			t.Errorf("%d tokens: %q, want %q", tokens, got, want)
		}
		if example.Masked[example.Mask] != 0 || (set.Truncated == 0) != (tokens == 12) {
			t.Errorf("%d tokens: mask at %d, %d truncated", tokens, example.Mask, set.Truncated)
		}
	}
	_, err := Read("a.tsv", strings.NewReader(text), mustTask(t, spec), newMaskEncoder(), Options{Masked: true, Tokens: 4})
	wantError(t, err, ErrBudget, "a.tsv:2:", "the template alone has 5 tokens")
}

func TestMaskedBatches(t *testing.T) {
	spec := Spec{Template: "{a} is {mask}.", Labels: Labels{{"0", "bad"}, {"1", "good"}, {"2", "so"}}}
	set, encoder := mustMask(t, "a\tlabel\nx y\t2\nz\t0\n", spec, 0)
	words := func(names ...string) (ids []int32) {
		for _, name := range names {
			ids = append(ids, encoder.id(name))
		}
		return ids
	}
	text := append([]int32{1}, words("x", " y", " is")...)
	text = append(append(append(text, 0), words(".")...), 2)
	second := append([]int32{1}, words("z", " is")...)
	second = append(append(append(second, 0), words(".")...), 2)
	var b Batch
	if err := b.PackTokens(set.Examples, []int{0, 1}); err != nil {
		t.Fatal(err)
	}
	equal(t, "tokens", b.Tokens, append(text, second...))
	equal(t, "sequences", b.SeqOffsets, []int32{0, 7, 13})
	equal(t, "rows", b.Rows, []int32{4, 10})
	equal(t, "labels", b.Labels, words(" so", " bad"))
	equal(t, "weights", b.Weights, []float32{0.5, 0.5})
	if err := b.PackChoices(set.Examples, []int{0, 1}); err != nil {
		t.Fatal(err)
	}
	equal(t, "tokens", b.Tokens, append(text[:7:7], second...))
	equal(t, "rows", b.Rows, []int32{4, 4, 4, 10, 10, 10})
	equal(t, "labels", b.Labels, words(" bad", " good", " so", " bad", " good", " so"))
	equal(t, "weights", b.Weights, []float32{0, 0, 0.5, 0.5, 0, 0})
	equal(t, "choices", b.ChoiceOffsets, []int32{0, 3, 6})
	bounds, err := ChoiceBounds(set.Examples, 2)
	if want := (Bounds{Tokens: 13, Sequences: 2, Rows: 6, Candidates: 6, Examples: 2, Longest: 7}); err != nil || bounds != want {
		t.Errorf("bounds are %+v, %v", bounds, err)
	}
	bounds, err = TokenBounds(set.Examples, 2)
	if want := (Bounds{Tokens: 13, Sequences: 2, Rows: 2, Candidates: 2, Examples: 2, Longest: 7}); err != nil || bounds != want {
		t.Errorf("bounds are %+v, %v", bounds, err)
	}
	for _, bad := range []Example{
		{Masked: []int32{1, 0}, Mask: 2, Candidates: [][]int32{{5}}},
		{Masked: []int32{1, 0}, Mask: -1, Candidates: [][]int32{{5}}},
		{Masked: []int32{1, 0}, Mask: 1, Candidates: [][]int32{{5, 6}}},
	} {
		wantError(t, b.PackChoices([]Example{bad}, []int{0}), ErrBatch)
	}
}

func TestMaskedRefuses(t *testing.T) {
	labels := Labels{{"0", "No"}, {"1", "Yes indeed"}}
	read := func(spec Spec, encoder Encoder, masked bool) error {
		_, err := Read("a.tsv", strings.NewReader("a\tlabel\nx\t0\n"), mustTask(t, spec), encoder, Options{Masked: masked})
		return err
	}
	wantError(t, read(Spec{Template: "{a} {mask}", Labels: labels}, newMaskEncoder(), true), ErrTask, "a.tsv:2:", `"Yes indeed" is 2 tokens`)
	wantError(t, read(Spec{Template: "{a} {mask}", Labels: labels}, byteEncoder{}, true), ErrTask, "no <mask>")
	wantError(t, read(Spec{Template: "{a} {mask}", Labels: labels}, newMaskEncoder(), false), ErrTask, "goes on with a text")
	wantError(t, read(Spec{Template: "{a} {label}", Labels: labels}, newMaskEncoder(), true), ErrTask, "fills in a {mask}")
}
