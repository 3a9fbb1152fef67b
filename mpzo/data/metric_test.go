package data

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// The definitions, worked by hand: gold 1 1 0 0 2, predicted 1 0 1 -1 2.
func TestScores(t *testing.T) {
	set := &Set{Metrics: []Metric{Accuracy, MacroF1, ExactMatch}, Labels: make([]Label, 3)}
	for i, gold := range []int{1, 1, 0, 0, 2} {
		set.Examples = append(set.Examples, Example{Gold: gold, Group: []string{"a", "b", "b", "b", "c"}[i]})
	}
	got, err := set.Score([]int32{1, 0, 1, -1, 2})
	if err != nil {
		t.Fatal(err)
	}
	// F1: label 0: TP 0; label 1: TP 1, FP 1, FN 1: 1/2; label 2: 1.
	if want := (Scores{Accuracy: 0.4, F1: 0.5, ExactMatch: 2.0 / 3}); got != want {
		t.Errorf("scores are %+v, want %+v", got, want)
	}
	set.Metrics = []Metric{MacroF1} // of the first three, label 2 is neither there nor predicted
	got, err = set.Score([]int32{1, 0, 0})
	if want := (2.0/3 + 2.0/3) / 2; err != nil || math.Abs(got.F1-want) > 1e-12 {
		t.Errorf("macro F1 without label 2 is %g, want %g, error %v", got.F1, want, err)
	}
	set.Metrics = []Metric{F1}
	got, err = set.Score([]int32{1, 1, 1, 0, 0}) // TP 2, FP 1, FN 0
	if err != nil || got.F1 != 0.8 || !math.IsNaN(got.Accuracy) || !math.IsNaN(got.ExactMatch) {
		t.Errorf("scores are %+v, %v", got, err)
	}
	_, err = set.Score(make([]int32, 6))
	wantError(t, err, ErrBatch)
}

func TestAnswerScores(t *testing.T) {
	cases := []struct {
		answer     string
		references []string
		f1, exact  float64
	}{
		{"The Cat!", []string{"a cat"}, 1, 1},
		{"cat", []string{"the black cat", "dog"}, 2.0 / 3, 0},
		{"black black cat", []string{"black cat cat"}, 2.0 / 3, 0},
		{"anthem", []string{"an them"}, 0, 0},
		{"U.S.", []string{"us"}, 1, 1},
		{"the-cat", []string{"thecat"}, 1, 1}, // punctuation goes first, then articles
		{"a “b”", []string{"“b”"}, 1, 1},      // quotation marks beyond ASCII stay
		{"théâtre a", []string{"Théâtre"}, 1, 1},
		{"", []string{"x"}, 0, 0},
		{"the", []string{"an"}, 0, 1}, // nothing is left of either
		{"x_ y", []string{"x y"}, 1, 1},
	}
	for _, c := range cases {
		set := &Set{Examples: []Example{{References: c.references}}, Metrics: []Metric{F1, ExactMatch}}
		got, err := set.ScoreAnswers([]string{c.answer})
		if err != nil || math.Abs(got.F1-c.f1) > 1e-12 || got.ExactMatch != c.exact || !math.IsNaN(got.Accuracy) {
			t.Errorf("%q for %q: %+v, %v; want f1 %g, exact %g", c.answer, c.references, got, err, c.f1, c.exact)
		}
	}
	_, err := (&Set{}).ScoreAnswers([]string{"x"})
	wantError(t, err, ErrBatch)
}

// Every reference of a real file is an exact match of itself.
func TestSQuADScoresItself(t *testing.T) {
	set, err := Load(testdata.Shared(t, "datasets/squad/xquad.en.json"), builtIn(t, "squad"), byteEncoder{}, Options{Tokens: 300})
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, example := range set.Examples {
		answers = append(answers, "The "+strings.ToUpper(example.References[0])+".")
		if room := example.Prefix + set.NewTokens; room > 300 || len(example.Candidates[0]) > 300 {
			t.Fatalf("question %d has no room to answer: %d ids", example.Line, room)
		}
	}
	scores, err := set.ScoreAnswers(answers)
	if err != nil || scores.F1 != 1 || scores.ExactMatch != 1 || set.NewTokens != 50 {
		t.Errorf("scores are %+v, %v, %d new tokens", scores, err, set.NewTokens)
	}
}

func TestSQuADRefuses(t *testing.T) {
	question := `{"question":"q","answers":[{"text":"a"}]}`
	article := `{"title":"t","paragraphs":[{"context":"c","qas":[` + question + `]}]}`
	cases := map[string]string{
		``:                            "unexpected EOF",
		`[]`:                          "[ where { is expected",
		`{}`:                          "no data",
		`{"data":{}}`:                 "{ where [ is expected",
		`{"data":[`:                   "unexpected EOF",
		`{"data":[` + article:         "after question 1: unexpected EOF",
		`{"data":[` + article + `]`:   "after question 1: unexpected EOF",
		`{"data":[` + article + `]}x`: "after question 1: more text",
		`{"data":[3]}`:                "cannot unmarshal",
		`{"data":[{"title":"t","paragraphs":[{"context":"c","qas":[{"question":"q","answers":[]}]}]}]}`: "a.json:1: field answers.text or answers lists no answer",
		`{"data":[{"title":"","paragraphs":[{"context":"c","qas":[` + question + `]}]}]}`:               "title has empty text",
	}
	for text, part := range cases {
		_, err := Read("a.json", strings.NewReader(text), builtIn(t, "squad"), byteEncoder{}, Options{})
		wantError(t, err, ErrRow, part)
	}
	whole := `{"data":[` + article + "," + article + `],"version":"1.1"}`
	set, err := Read("a.json", strings.NewReader(whole), builtIn(t, "squad"), byteEncoder{}, Options{})
	if err != nil || len(set.Examples) != 2 || set.Examples[1].Line != 2 {
		t.Errorf("two articles give %v, %v", set, err)
	}
	_, err = Read("a.json", strings.NewReader(whole), builtIn(t, "squad"), byteEncoder{}, Options{Rows: 1})
	wantError(t, err, ErrRow, "more rows than the limit")
	_, err = Read("a.json", strings.NewReader(whole), builtIn(t, "squad"), byteEncoder{}, Options{TextBytes: 40})
	wantError(t, err, ErrRow, "the limit is 40 bytes")
}

func TestLayoutsRefuse(t *testing.T) {
	cases := map[string][2]string{
		`{"idx":1}`:                              {"multirc", "missing field passage.text"},
		`{"passage":{"text":"p","questions":3}}`: {"multirc", "passage.questions is a number"},
		`{"passage":{"text":"p","questions":[{"answers":[{"text":1}]}]}}`:                  {"multirc", "cannot unmarshal"},
		`{"passage":{"text":"p","questions":[{"question":"q","answers":[{"text":"a"}]}]}}`: {"multirc", "missing field label"},
		`{"passage":{"text":"p","questions":[]}}`:                                          {"multirc", "no examples"},
		`{"question":"q"}`: {"arc", "missing field answerKey"},
		`{"answerKey":"A","question":"q","choices":{"text":["x"],"label":["A","B"]}}`: {"arc", "1 texts for 2 labels"},
		`{"answerKey":"A","question":{"stem":"q"}}`:                                   {"arc", "missing field question.choices"},
		`{"answerKey":"E"}`: {"arc", "no examples"},
	}
	for text, c := range cases {
		_, err := Read("a.jsonl", strings.NewReader(text), builtIn(t, c[0]), byteEncoder{}, Options{})
		if err == nil || !strings.Contains(err.Error(), c[1]) || !strings.HasPrefix(err.Error(), "a.jsonl:") {
			t.Errorf("%s: %s gives %v", c[0], text, err)
		}
	}
}

func FuzzSQuAD(f *testing.F) {
	seed(f, "none", `{"data":[{"title":"t","paragraphs":[{"context":"c","qas":[{"question":"q","answers":[{"text":"a"}]}]}]}],"v":1}`, `{"data":[]}`, `{"x":[{"data":[]}],"data":[{}]}`)
	task, err := BuiltIn("squad")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) { fuzzRows(t, "f.json", text, &task) })
}

func FuzzMultiRC(f *testing.F) {
	seed(f, "multirc/train32.jsonl", `{"passage":{"text":"p","questions":[{"question":"q","answers":[{"text":"a","label":1}]}]}}`)
	task, err := BuiltIn("multirc")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) { fuzzRows(t, "f.jsonl", text, &task) })
}

func TestMetricNames(t *testing.T) {
	for m := Accuracy; m <= ExactMatch; m++ {
		if back, err := ParseMetric(m.String()); err != nil || back != m {
			t.Errorf("%s reads as %v, %v", m, back, err)
		}
	}
	if got := fmt.Sprint(NoScores().Of(F1)); got != "NaN" {
		t.Errorf("no score is %s", got)
	}
}

func TestGeneratedAnswers(t *testing.T) {
	set := mustRead(t, "a.jsonl", `{"q":"who ?","a":"no one"}`, Spec{Template: "{q} {label}", AnswerField: "a", Metrics: []string{"f1"}}, byteEncoder{}, Options{})
	for text, want := range map[string]string{"": "", " no": "no", " no one\n": "no one.", "\nx": ".", "no\u0000": "no."} {
		ids := byteEncoder{}.Encode(text)
		if n := len(ids); n > 0 && ids[n-1] == 3 { // stands for the token that ends a text
			ids[n-1] = 2
		}
		got, ended := set.Answer(ids)
		if ended {
			got += "."
		}
		if got != want {
			t.Errorf("%q is the answer %q, want %q", text, got, want)
		}
	}
	_, err := Read("a.jsonl", strings.NewReader(""), mustTask(t, Spec{Template: "{q} {label}", AnswerField: "a", Metrics: []string{"f1"}}), newWordEncoder(), Options{})
	wantError(t, err, ErrTask, "cannot spell")
}
