package data

import (
	"fmt"
	"strconv"
	"strings"
)

// Loss is what a task is trained on.
type Loss uint8

const (
	// TokenLoss is the mean cross-entropy over the tokens of the gold answers.
	TokenLoss Loss = iota
	// ChoiceLoss is the cross-entropy of the gold candidate under a softmax
	// over the candidates' log-likelihoods.
	ChoiceLoss
)

// String names the loss as flags and task files do.
func (l Loss) String() string {
	if l == ChoiceLoss {
		return "choices"
	}
	return "tokens"
}

// ParseLoss reads the name of a loss; empty means TokenLoss.
func ParseLoss(name string) (Loss, error) {
	switch name {
	case "", "tokens":
		return TokenLoss, nil
	case "choices":
		return ChoiceLoss, nil
	default:
		return 0, fmt.Errorf("loss %s is neither tokens nor choices: %w", shown(name), ErrTask)
	}
}

// Label joins a value of the label field to the word that says it.
type Label struct {
	Value string // as the data spell it: "1"
	Word  string // as the model shall say it: "great"
}

// maxChoices bounds the candidates of one example.
const maxChoices = 256

// Task says how a row becomes a prompt and its candidate answers. Exactly one of
// Labels, ChoiceFields, ChoicesField and AnswerField is set:
//
//   - Labels: classification by words; the candidates are the words, in order.
//   - ChoiceFields: multiple choice, one field a candidate.
//   - ChoicesField: multiple choice, one field that lists the candidates.
//   - AnswerField: free text, one candidate, ended by the end-of-text token.
//
// LabelField names the field with the right answer: a Label's value, or for
// multiple choice the number of the candidate, counted from 0.
type Task struct {
	Name         string
	Template     Template
	LabelField   string
	Labels       []Label
	ChoiceFields []string
	ChoicesField string
	AnswerField  string
	Loss         Loss
}

// SST2 is the sentiment task of the Stanford Sentiment Treebank with MobiZO's
// template, «{sentence} It was great|terrible», for every layout of column
// names in which it is handed around.
func SST2() Spec {
	return Spec{
		Name:     "sst2",
		Template: "{sentence|content|text} It was {label}",
		Labels:   Labels{{Value: "0", Word: "terrible"}, {Value: "1", Word: "great"}},
	}
}

// COPA is the choice of plausible alternatives: which of two sentences is the
// cause, or the effect, of the premise.
func COPA() Spec {
	return Spec{
		Name:         "copa",
		Template:     "{premise} What was the {question}? {label}",
		ChoiceFields: []string{"choice1", "choice2"},
	}
}

// BuiltIn returns the task of that name among those that need no description.
func BuiltIn(name string) (Task, error) {
	switch name {
	case "sst2":
		return SST2().Task()
	case "copa":
		return COPA().Task()
	default:
		return Task{}, fmt.Errorf("no task is named %s (there are sst2 and copa): %w", shown(name), ErrTask)
	}
}

// answers returns the candidate answers of a row and which of them is right.
func (t *Task) answers(row *Row) (texts []string, gold int, err error) {
	if t.AnswerField != "" {
		text, err := textOf(row, []string{t.AnswerField})
		return []string{text}, 0, err
	}
	label, err := textOf(row, []string{t.LabelField})
	if err != nil {
		return nil, 0, err
	}
	switch {
	case len(t.Labels) > 0:
		return t.words(label)
	case t.ChoicesField != "":
		texts, err = listOf(row, t.ChoicesField)
	default:
		for _, name := range t.ChoiceFields {
			text, err := textOf(row, []string{name})
			if err != nil {
				return nil, 0, err
			}
			texts = append(texts, text)
		}
	}
	if err != nil {
		return nil, 0, err
	}
	gold, err = strconv.Atoi(label)
	if err != nil || gold < 0 || gold >= len(texts) {
		return nil, 0, fmt.Errorf("unknown label %s (want a number from 0 to %d)", shown(label), len(texts)-1)
	}
	return texts, gold, nil
}

// words returns the label words and the index of the one that value stands for.
func (t *Task) words(value string) ([]string, int, error) {
	texts := make([]string, len(t.Labels))
	values := make([]string, len(t.Labels))
	gold := -1
	for i, label := range t.Labels {
		texts[i], values[i] = label.Word, label.Value
		if label.Value == value {
			gold = i
		}
	}
	if gold < 0 {
		return nil, 0, fmt.Errorf("unknown label %s (want %s)", shown(value), wanted(values))
	}
	return texts, gold, nil
}

// listOf returns the candidates that a row lists in one field.
func listOf(row *Row, name string) ([]string, error) {
	value, ok := row.Field(name)
	if !ok {
		return nil, fmt.Errorf("missing field %s (the row has %s)", name, shown(strings.Join(row.Names, ", ")))
	}
	if value.Kind != List {
		return nil, fmt.Errorf("field %s is %s where a list of texts is wanted", name, value.Kind)
	}
	if n := len(value.List); n < 2 || n > maxChoices {
		return nil, fmt.Errorf("field %s lists %d choices, want 2 to %d", name, n, maxChoices)
	}
	texts := make([]string, len(value.List))
	for i, text := range value.List {
		if texts[i] = strings.TrimSpace(text); texts[i] == "" {
			return nil, fmt.Errorf("choice %d of field %s has empty text", i, name)
		}
	}
	return texts, nil
}
