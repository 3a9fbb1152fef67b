package data

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

func builtIn(t testing.TB, name string) *Task {
	t.Helper()
	task, err := BuiltIn(name)
	if err != nil {
		t.Fatal(err)
	}
	return &task
}

// answer gives back the text of a candidate's answer.
func answer(ids []int32, prefix int) string {
	var out []byte
	for _, id := range ids[prefix:] {
		out = append(out, byte(id-3))
	}
	return string(out)
}

func TestSST2Files(t *testing.T) {
	cases := []struct {
		file           string
		rows, positive int
	}{
		{"glue_dev.tsv", 872, 444},
		{"glue_test.tsv", 1821, 909},
		{"16-shot/16-13/train.tsv", 32, 16},
		{"16-shot/16-100/dev.tsv", 32, 16},
		{"16-shot/test.tsv", 1821, 909},
	}
	for _, c := range cases {
		set, err := Load(testdata.Shared(t, "datasets/sst2/"+c.file), builtIn(t, "sst2"), byteEncoder{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		positive := 0
		for _, example := range set.Examples {
			positive += example.Gold
			if got := answer(example.Candidates[1], example.Prefix); got != "great" {
				t.Fatalf("line %d: answer %q", example.Line, got)
			}
		}
		if len(set.Examples) != c.rows || positive != c.positive {
			t.Errorf("%s: %d rows, %d positive; want %d, %d", c.file, len(set.Examples), positive, c.rows, c.positive)
		}
		if last := set.Examples[c.rows-1].Line; last != c.rows+1 {
			t.Errorf("%s: last line is %d", c.file, last)
		}
	}
}

func TestSST2DevWithinABudget(t *testing.T) {
	path := testdata.Shared(t, "datasets/sst2/glue_dev.tsv")
	set, err := Load(path, builtIn(t, "sst2"), byteEncoder{}, Options{Tokens: 128})
	if err != nil {
		t.Fatal(err)
	}
	if set.Truncated == 0 {
		t.Fatal("no example is longer than 128 bytes, which cannot be")
	}
	bounds, err := ChoiceBounds(set.Examples, 8)
	if err != nil {
		t.Fatal(err)
	}
	if bounds.Longest > 127 || bounds.Sequences != 16 {
		t.Errorf("bounds are %+v", bounds)
	}
	// A model that likes what is right, by a little, is always right.
	var total Tally
	var predicted []int32
	var b Batch
	for from := 0; from < len(set.Examples); from += 8 {
		if err := b.PackChoices(set.Examples, []int{from, from + 1, from + 2, from + 3, from + 4, from + 5, from + 6, from + 7}); err != nil {
			t.Fatal(err)
		}
		nll := make([]float32, len(b.Rows))
		for r, weight := range b.Weights {
			if nll[r] = 3; weight != 0 {
				nll[r] = 1
			}
		}
		result, err := Score(&b, nll, ByMean)
		if err != nil {
			t.Fatal(err)
		}
		total.Add(result.Tally)
		predicted = append(predicted, result.Predicted...)
	}
	scores, err := set.Score(predicted)
	if err != nil || total.Choices != 872 || scores.Accuracy != 1 {
		t.Errorf("tally is %+v, scores %+v, %v", total, scores, err)
	}
}

func TestCOPAFiles(t *testing.T) {
	for name, rows := range map[string]int{"train32": 32, "train368": 368, "val": 100} {
		set, err := Load(testdata.Shared(t, "datasets/copa/"+name+".jsonl"), builtIn(t, "copa"), byteEncoder{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Examples) != rows {
			t.Errorf("%s: %d examples, want %d", name, len(set.Examples), rows)
		}
		if name == "val" {
			first := set.Examples[0]
			if got := answer(first.Candidates[first.Gold], first.Prefix); got != "water flowed from the spout." {
				t.Errorf("first answer is %q", got)
			}
		}
	}
}

func TestOtherTasksByDescription(t *testing.T) {
	cases := []struct {
		file string
		spec Spec
		rows int
	}{
		{"boolq/val.jsonl", Spec{Template: "{passage} {question}? {label}", Labels: Labels{{"false", "No"}, {"true", "Yes"}}}, 3270},
		{"cb/val.jsonl", Spec{Template: "{premise} {hypothesis}? {label}", Labels: Labels{{"entailment", "Yes"}, {"contradiction", "No"}, {"neutral", "Maybe"}}}, 56},
		{"wic/val.jsonl", Spec{Template: "{word}: {sentence1} {sentence2} {label}", Labels: Labels{{"false", "No"}, {"true", "Yes"}}}, 638},
	}
	for _, c := range cases {
		set, err := Load(testdata.Shared(t, "datasets/"+c.file), mustTask(t, c.spec), byteEncoder{}, Options{Tokens: 512})
		if err != nil {
			t.Error(err)
			continue
		}
		if len(set.Examples) != c.rows {
			t.Errorf("%s: %d examples, want %d", c.file, len(set.Examples), c.rows)
		}
	}
}

func TestShakespeareWindows(t *testing.T) {
	path := testdata.Shared(t, "datasets/text/tinyshakespeare.txt")
	set, err := LoadText(path, byteEncoder{}, Options{Tokens: 512})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var again strings.Builder
	for _, example := range set.Examples {
		again.WriteString(answer(example.Candidates[0], example.Prefix))
	}
	if again.String() != string(text) {
		t.Error("the windows do not give the text back")
	}
	if want := (len(text) + 510) / 511; len(set.Examples) != want {
		t.Errorf("%d windows, want %d", len(set.Examples), want)
	}
	bounds, err := TokenBounds(set.Examples, 4)
	if want := (Bounds{Tokens: 4 * 511, Sequences: 4, Rows: 4 * 511, Candidates: 4, Examples: 4, Longest: 511}); err != nil || bounds != want {
		t.Errorf("bounds are %+v, %v", bounds, err)
	}
}

// Cut anywhere, a file gives rows or an error with a line, never anything else.
func TestFilesCutAnywhere(t *testing.T) {
	for _, name := range []string{"sst2/16-shot/16-13/train.tsv", "copa/train32.jsonl"} {
		text, err := os.ReadFile(testdata.Shared(t, "datasets/"+name))
		if err != nil {
			t.Fatal(err)
		}
		task := builtIn(t, strings.TrimSuffix(name[:4], "/"))
		text = text[:min(len(text), 900)]
		whole := 0
		for cut := range text {
			_, err := Read(name, strings.NewReader(string(text[:cut])), task, byteEncoder{}, Options{})
			if err == nil {
				whole++
				continue
			}
			if !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrRow) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			if errors.Is(err, ErrRow) && !strings.HasPrefix(err.Error(), fmt.Sprintf("%s:%d: ", name, 1+strings.Count(string(text[:cut]), "\n"))) {
				t.Fatalf("cut at %d: the error does not name the last line: %v", cut, err)
			}
		}
		if whole == 0 {
			t.Errorf("%s: no beginning of the file is a file", name)
		}
	}
}
