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
	Value string // as the data spell it: "1", or in several ways: "1|true"
	Word  string // as the model shall say it: "great"
}

// maxChoices bounds the candidates of one example.
const maxChoices = 256

// Task says how a row becomes a prompt and its candidate answers. Exactly one of
// Labels, Choices, ChoicesField and AnswerField is set:
//
//   - Labels: classification by words; the candidates are the words, in order.
//   - Choices: multiple choice, one made of fields each.
//   - ChoicesField: multiple choice, one field that lists the candidates.
//   - AnswerField: free text, one candidate: a field, or the first of those that
//     it lists. The end-of-text token ends it, unless the template does.
//
// LabelField names the field with the right answer, or alternatives between
// bars: a Label's value, or for multiple choice the number of the candidate,
// counted from FirstChoice.
type Task struct {
	Name         string
	Template     Template
	LabelField   string
	Labels       []Label
	Choices      [][]piece
	ChoicesField string
	FirstChoice  int
	AnswerField  string
	Loss         Loss
	ByMean       bool     // candidates are compared by the mean over their tokens
	Metrics      []Metric // the first says which of two evaluations is better
	GroupField   string   // rows of equal value are one question, for ExactMatch
	NewTokens    int      // most tokens of an answer that is generated
	layout       layout   // of the published file; nil: rows are as the task has them
	skipBroken   bool     // rows of a TSV file with another number of columns
}

// Generates reports whether the task is evaluated by the answers that the model
// writes.
func (t *Task) Generates() bool { return t.AnswerField != "" && len(t.Metrics) > 0 }

// answers returns the candidate answers of a row and which of them is right.
func (t *Task) answers(row *Row) (texts []string, gold int, err error) {
	if t.AnswerField != "" {
		references, err := t.references(row)
		if err != nil {
			return nil, 0, err
		}
		return references[:1], 0, nil
	}
	label, err := textOf(row, alternatives(t.LabelField))
	if err != nil {
		return nil, 0, err
	}
	switch {
	case len(t.Labels) > 0:
		return t.words(label)
	case t.ChoicesField != "":
		texts, err = listOf(row, t.ChoicesField)
	default:
		for _, pieces := range t.Choices {
			text, err := joined(row, pieces)
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
	last := t.FirstChoice + len(texts) - 1
	if err != nil || gold < t.FirstChoice || gold > last {
		return nil, 0, fmt.Errorf("unknown label %s (want a number from %d to %d)", shown(label), t.FirstChoice, last)
	}
	return texts, gold - t.FirstChoice, nil
}

// words returns the label words and the index of the one that value stands for.
func (t *Task) words(value string) ([]string, int, error) {
	texts := make([]string, len(t.Labels))
	var values []string
	gold := -1
	for i, label := range t.Labels {
		texts[i] = label.Word
		for _, spelling := range alternatives(label.Value) {
			if values = append(values, spelling); spelling == value {
				gold = i
			}
		}
	}
	if gold < 0 {
		return nil, 0, fmt.Errorf("unknown label %s (want %s)", shown(value), wanted(values))
	}
	return texts, gold, nil
}

// references returns the free answers of a row, of which any is right.
func (t *Task) references(row *Row) ([]string, error) {
	names := alternatives(t.AnswerField)
	value, ok := row.Field(names...)
	if !ok || value.Kind != List {
		text, err := textOf(row, names)
		return []string{text}, err
	}
	if len(value.List) == 0 {
		return nil, fmt.Errorf("field %s lists no answer", wanted(names))
	}
	return trimmed(names[0], "answer", value.List)
}

// alternatives splits «label|gold_label».
func alternatives(names string) []string { return strings.Split(names, "|") }

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
	return trimmed(name, "choice", value.List)
}

// trimmed returns the items of a list without spaces at their ends.
func trimmed(field, what string, list []string) ([]string, error) {
	texts := make([]string, len(list))
	for i, text := range list {
		if texts[i] = strings.TrimSpace(text); texts[i] == "" {
			return nil, fmt.Errorf("%s %d of field %s has empty text", what, i, field)
		}
	}
	return texts, nil
}
