package train_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// letters gives each letter an id, as the toy's 29 tokens have it; 0 is the end
// of a line.
type letters struct{}

func (letters) BOS() int32 { return 1 }
func (letters) EOS() int32 { return 2 }
func (letters) Encode(text string) (ids []int32) {
	for _, char := range strings.ReplaceAll(text, " ", "") {
		ids = append(ids, char-'a'+3)
	}
	return ids
}

func (letters) Decode(ids []int32) string {
	var out strings.Builder
	for _, id := range ids {
		switch {
		case id == 0:
			out.WriteByte('\n')
		case id >= 3:
			out.WriteByte(byte(id) - 3 + 'a')
		}
	}
	return out.String()
}

// questions are a set whose answers are generated, of at most six tokens.
func questions(t *testing.T) *data.Set {
	t.Helper()
	task, err := data.Spec{Template: "{q}{label}", AnswerField: "a", Metrics: []string{"f1", "exact_match"}, NewTokens: 6}.Task()
	if err != nil {
		t.Fatal(err)
	}
	text := `{"q": "abc", "a": "x"}
{"q": "hello", "a": ["yes", "no"]}
{"q": "q", "a": "zero"}
{"q": "thequickbrownfox", "a": "dog"}`
	set, err := data.Read("q.jsonl", strings.NewReader(text), &task, letters{}, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func generator(t *testing.T, p *program.Program, registry *kernel.Registry, bounds op.Extents) *train.Generator {
	t.Helper()
	s, err := executor.New(p, registry, executor.Options{Bounds: bounds, Methods: []string{"forward"}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := train.NewGenerator(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// Every token of an answer is the one that the losses call likeliest behind
// those before it, with the adapter that the model holds; how many answers are
// written together makes no difference.
func TestAnswersAreTheLikeliestTokens(t *testing.T) {
	f := newFixture(t)
	set := questions(t)
	vocabulary := toyConfig().VocabSize
	m := bind(t, f.program, f.kernels, op.Extents{Width: 1, N: 32, S: 1, R: vocabulary, K: vocabulary, G: 1, Q: 1}, 1)
	must(t, m.Init(3))
	disturb(m, 4)
	var answers []string
	for _, batch := range []int{1, 3, 4} {
		g := generator(t, f.program, f.kernels, train.GeneratorBounds(batch, nil, set))
		some, err := g.Answers(context.Background(), m, set, batch, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		if answers == nil {
			answers = some
		} else if fmt.Sprint(some) != fmt.Sprint(answers) {
			t.Errorf("%d together: %q, one by one %q", batch, some, answers)
		}
	}
	for i, answer := range answers {
		ids := set.Examples[i].Candidates[0][:set.Examples[i].Prefix:set.Examples[i].Prefix]
		var written []int32
		for range 6 {
			next := likeliest(t, m, ids, vocabulary)
			ids, written = append(ids, next), append(written, next)
			if next == 2 || next == 0 {
				break
			}
		}
		if want, _ := set.Answer(written); want != answer {
			t.Errorf("question %d: answer %q, want %q", i, answer, want)
		}
	}
	must(t, m.Init(3))
	g := generator(t, f.program, f.kernels, train.GeneratorBounds(4, set))
	plain, err := g.Answers(context.Background(), m, set, 4, func(int) {})
	if err != nil || fmt.Sprint(plain) == fmt.Sprint(answers) {
		t.Errorf("another adapter gives the same answers %q, %v", plain, err)
	}
}

// likeliest asks the losses which token comes behind ids.
func likeliest(t *testing.T, m *train.Model, ids []int32, vocabulary int) int32 {
	t.Helper()
	example := data.Example{Prefix: len(ids)}
	for id := range vocabulary {
		example.Candidates = append(example.Candidates, append(ids[:len(ids):len(ids)], int32(id)))
	}
	var b data.Batch
	if err := b.PackChoices([]data.Example{example}, []int{0}); err != nil {
		t.Fatal(err)
	}
	nll, err := m.RowLosses(context.Background(), &b)
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for id, loss := range nll {
		if loss < nll[best] {
			best = id
		}
	}
	return int32(best)
}

// An evaluation of generated answers scores them, and measures the loss of the
// references as well.
func TestEvaluateGenerated(t *testing.T) {
	f := newFixture(t)
	set := questions(t)
	bounds, err := train.EvaluationBounds(set, data.TokenLoss, 3)
	if err != nil {
		t.Fatal(err)
	}
	m := bind(t, f.program, f.kernels, train.Bounds(bounds, 1, 1), 1)
	must(t, m.Init(3))
	disturb(m, 4)
	if _, err := m.Evaluate(context.Background(), set, data.TokenLoss, 3, data.BySum, nil); !errors.Is(err, train.ErrSettings) {
		t.Errorf("without a generator: %v", err)
	}
	g := generator(t, f.program, f.kernels, train.GeneratorBounds(3, set))
	m.Generate(g)
	answers, err := g.Answers(context.Background(), m, set, 3, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	want, err := set.ScoreAnswers(answers)
	if err != nil {
		t.Fatal(err)
	}
	var done []int
	e, err := m.Evaluate(context.Background(), set, data.TokenLoss, 3, data.BySum, func(n int) { done = append(done, n) })
	if err != nil || e.Scores.F1 != want.F1 || e.Scores.ExactMatch != want.ExactMatch || e.Deciding != data.F1 || !(e.Loss > 0) {
		t.Errorf("evaluation is %+v, %v; want %+v", e, err, want)
	}
	if fmt.Sprint(done) != "[3 4]" {
		t.Errorf("progress is %v", done)
	}
	// What the model says itself is an exact match.
	for i := range set.Examples {
		set.Examples[i].References = []string{answers[i]}
	}
	e, err = m.Evaluate(context.Background(), set, data.TokenLoss, 3, data.BySum, nil)
	if err != nil || e.Scores.ExactMatch != 1 {
		t.Errorf("the model's own answers score %+v, %v", e.Scores, err)
	}
}

func TestGeneratorRefuses(t *testing.T) {
	f := newFixture(t)
	s, err := executor.New(f.program, f.kernels, executor.Options{Bounds: op.Extents{Q: 1}, Methods: []string{"update"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := train.NewGenerator(s); !errors.Is(err, train.ErrProgram) {
		t.Errorf("a session without forward: %v", err)
	}
	if bounds := train.GeneratorBounds(4, nil, f.heldOut); bounds != (op.Extents{}) {
		t.Errorf("nothing to generate needs %+v", bounds)
	}
}
