package data

import (
	"os"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// The first number for the seed of the authors' program, 5489, and a permutation
// that NumPy is known for: seed(42), permutation(10).
func TestMersenne(t *testing.T) {
	if got := newMersenne(5489).next(); got != 3499211612 {
		t.Errorf("the first number is %d", got)
	}
	equal(t, "permutation", shuffled(42, 10), []int{8, 1, 5, 0, 7, 2, 9, 4, 3, 6})
	equal(t, "permutation of one", shuffled(42, 1), []int{0})
	equal(t, "permutation of none", shuffled(42, 0), []int{})
}

// MeZO's and LM-BFF's own 16-shot samples of SST-2 come out, example by example,
// for each of their five seeds. Theirs have brackets where the source has
// -lrb- and -rrb-.
func TestShotsAreMeZOs(t *testing.T) {
	raw, err := os.ReadFile(testdata.Shared(t, "datasets/sst2/stsa.binary.train"))
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	source.WriteString("label\tsentence\n")
	for line := range strings.Lines(string(raw)) {
		label, text, _ := strings.Cut(line, " ")
		source.WriteString(label + "\t" + text)
	}
	plain := strings.NewReplacer("-lrb-", "(", "-rrb-", ")", " ", "")
	spelt := func(set *Set) (out []string) {
		for _, example := range set.Examples {
			text := answer(example.Candidates[example.Gold][1:], 0)
			out = append(out, plain.Replace(text))
		}
		return out
	}
	task := builtIn(t, "sst2")
	for name, seed := range map[string]uint32{"13": 13, "21": 21, "42": 42, "87": 87, "100": 100} {
		train, heldOut, err := ReadShots("a.tsv", strings.NewReader(source.String()), task, byteEncoder{}, Options{}, 16, seed)
		if err != nil {
			t.Fatal(err)
		}
		for part, got := range map[string]*Set{"train": train, "dev": heldOut} {
			want, err := Load(testdata.Shared(t, "datasets/sst2/16-shot/16-"+name+"/"+part+".tsv"), task, byteEncoder{}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, name+" "+part, spelt(got), spelt(want))
		}
	}
}

func TestShotsRefuse(t *testing.T) {
	read := func(text string, spec Spec, k int) error {
		_, _, err := ReadShots("a.tsv", strings.NewReader(text), mustTask(t, spec), byteEncoder{}, Options{}, k, 1)
		return err
	}
	wantError(t, read("label\ttext\n1\tx\n", overall, 0), ErrTask, "must be positive")
	free := Spec{Template: "{text} {label}", AnswerField: "label"}
	wantError(t, read("label\ttext\n1\tx\n", free, 1), ErrTask, "one with labels")
	wantError(t, read("label\ttext\n1\tx\n0\ty\n", overall, 1), ErrEmpty, "no label has more than 1 rows")
	wantError(t, read("label\ttext\n1\tx\n7\ty\n", overall, 1), ErrRow, "a.tsv:3:")
	wantError(t, read("label\ttext\n1\tx\n1\t \n", overall, 1), ErrRow, "a.tsv:3:", "empty text")
	wantError(t, read("label\ttext\n", overall, 1), ErrEmpty, "no examples")
}

// A label with few rows gives what it has.
func TestShotsOfARareLabel(t *testing.T) {
	text := "label\ttext\n1\ta\n1\tb\n0\tc\n1\td\n1\te\n"
	train, heldOut, err := ReadShots("a.tsv", strings.NewReader(text), mustTask(t, overall), byteEncoder{}, Options{}, 2, 5)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, set := range []*Set{train, heldOut} {
		for _, example := range set.Examples {
			if seen[example.Line] {
				t.Errorf("line %d is taken twice", example.Line)
			}
			seen[example.Line] = true
		}
	}
	if len(train.Examples) != 3 || len(heldOut.Examples) != 2 || len(seen) != 5 {
		t.Errorf("%d examples to train on, %d held out", len(train.Examples), len(heldOut.Examples))
	}
}

func TestLimit(t *testing.T) {
	var text strings.Builder
	text.WriteString("label\ttext\n")
	for i := range 50 {
		text.WriteString("1\t" + string(rune('a'+i%26)) + strings.Repeat("x", i) + "\n")
	}
	lines := func(limit int) (out []int) {
		for _, example := range mustRead(t, "a.tsv", text.String(), overall, byteEncoder{}, Options{Limit: limit}).Examples {
			out = append(out, example.Line)
		}
		return out
	}
	some := lines(10)
	equal(t, "lines again", lines(10), some)
	if len(some) != 10 || some[9]-some[0] < 15 {
		t.Errorf("lines are %v", some)
	}
	for i := range 9 {
		if some[i] >= some[i+1] {
			t.Errorf("lines are out of order: %v", some)
		}
	}
	equal(t, "all lines", lines(60), lines(0))
	set := mustRead(t, "a.tsv", text.String(), overall, byteEncoder{}, Options{Limit: 50, Tokens: 30})
	if whole := mustRead(t, "a.tsv", text.String(), overall, byteEncoder{}, Options{Tokens: 30}); set.Truncated != whole.Truncated || whole.Truncated == 0 {
		t.Errorf("%d truncated, want %d", set.Truncated, whole.Truncated)
	}
}
