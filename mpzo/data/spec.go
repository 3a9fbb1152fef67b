package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Spec is a task as a user describes it, by flags or in a JSON file:
//
//	{
//	  "name":        "remarks",
//	  "template":    "{text} Overall : {label}",
//	  "labels":      {"0": "bad", "1|good": "good"},
//	  "label_field": "label",
//	  "loss":        "tokens",
//	  "metrics":     ["accuracy", "f1"]
//	}
//
// Instead of labels a file may give choices (["{choice1}", "{choice2}"]),
// choices_field ("choices") or answer_field ("summary"); see Task. label_field
// is "label" and loss is "tokens" where they are left out; score is "mean" where
// candidates are to be compared by the mean likelihood of their tokens; metrics are accuracy,
// and of free text none but the loss.
type Spec struct {
	Name         string   `json:"name"`
	Template     string   `json:"template"`
	Labels       Labels   `json:"labels"`
	LabelField   string   `json:"label_field"`
	Choices      []string `json:"choices"`
	ChoicesField string   `json:"choices_field"`
	FirstChoice  int      `json:"first_choice"`
	AnswerField  string   `json:"answer_field"`
	Loss         string   `json:"loss"`
	Metrics      []string `json:"metrics"`
	GroupField   string   `json:"group_field"`
	NewTokens    int      `json:"new_tokens"`
	Layout       string   `json:"layout"`
	Score        string   `json:"score"`
	skipBroken   bool
}

// meanScore is the Score of a task with ByMean.
const meanScore = "mean"

// maxSpecBytes bounds a task file.
const maxSpecBytes = 1 << 20

// How many tokens an answer may have that is generated: as in MeZO where a task
// does not say, and at most.
const (
	defaultNewTokens = 50
	maxNewTokens     = 4096
)

// Task checks the description and makes a task of it.
func (s Spec) Task() (Task, error) {
	task := Task{
		Name: s.Name, LabelField: s.LabelField, Labels: s.Labels, ChoicesField: s.ChoicesField,
		FirstChoice: s.FirstChoice, AnswerField: s.AnswerField, GroupField: s.GroupField,
		NewTokens: s.NewTokens, ByMean: s.Score == meanScore, skipBroken: s.skipBroken,
	}
	if task.LabelField == "" {
		task.LabelField = labelMarker
	}
	if task.NewTokens == 0 {
		task.NewTokens = defaultNewTokens
	}
	var err error
	if task.Loss, err = ParseLoss(s.Loss); err != nil {
		return Task{}, err
	}
	if task.Template, err = ParseTemplate(s.Template); err != nil {
		return Task{}, err
	}
	if task.layout, err = findLayout(s.Layout); err != nil {
		return Task{}, err
	}
	if err := s.checkAnswers(&task); err != nil {
		return Task{}, err
	}
	for _, source := range s.Choices {
		choice, err := parsePhrase(source)
		if err != nil {
			return Task{}, err
		}
		task.Choices = append(task.Choices, choice)
	}
	task.Metrics, err = s.metrics()
	return task, err
}

// checkAnswers checks what says where candidates come from.
func (s *Spec) checkAnswers(task *Task) error {
	sources := 0
	for _, given := range []bool{len(s.Labels) > 0, len(s.Choices) > 0, s.ChoicesField != "", s.AnswerField != ""} {
		if given {
			sources++
		}
	}
	switch {
	case sources != 1:
		return fmt.Errorf("%d of labels, choices, choices_field and answer_field are given, want one: %w", sources, ErrTask)
	case s.AnswerField != "" && task.Loss == ChoiceLoss:
		return fmt.Errorf("free text has one candidate, so its loss is over tokens: %w", ErrTask)
	case task.Template.Masked() && len(s.Labels) == 0:
		return fmt.Errorf("a template with {mask} needs labels: one token is predicted: %w", ErrTask)
	case s.FirstChoice < 0 || s.FirstChoice > maxChoices:
		return fmt.Errorf("first_choice is %d, want 0 to %d: %w", s.FirstChoice, maxChoices, ErrTask)
	case s.Score != "" && s.Score != meanScore:
		return fmt.Errorf("score %s is not mean (leave it out to score as the program was exported): %w", shown(s.Score), ErrTask)
	case task.NewTokens < 1 || task.NewTokens > maxNewTokens:
		return fmt.Errorf("new_tokens is %d, want 1 to %d: %w", s.NewTokens, maxNewTokens, ErrTask)
	case len(s.Choices) == 1 || len(s.Choices) > maxChoices:
		return fmt.Errorf("%d choices are given, want 2 to %d: %w", len(s.Choices), maxChoices, ErrTask)
	}
	return checkLabels(s.Labels)
}

func checkLabels(labels []Label) error {
	if n := len(labels); n == 1 || n > maxChoices {
		return fmt.Errorf("%d labels are given, want 2 to %d: %w", n, maxChoices, ErrTask)
	}
	values := make(map[string]bool)
	words := make(map[string]string)
	for i, label := range labels {
		if strings.TrimSpace(label.Word) == "" {
			return fmt.Errorf("label %s has no word: %w", shown(label.Value), ErrTask)
		}
		for _, value := range alternatives(label.Value) {
			if value == "" {
				return fmt.Errorf("label %d has no value: %w", i, ErrTask)
			}
			if values[value] {
				return fmt.Errorf("label %s is given twice: %w", shown(value), ErrTask)
			}
			values[value] = true
		}
		if earlier, taken := words[label.Word]; taken {
			return fmt.Errorf("labels %s and %s have the same word %s: %w", shown(earlier), shown(label.Value), shown(label.Word), ErrTask)
		}
		words[label.Word] = label.Value
	}
	return nil
}

// Labels are label words in the order in which they were written, which is the
// order of the candidates.
type Labels []Label

// ParseLabels reads «0=bad,1=good». A word keeps its spaces and cannot contain
// a comma; task files have no such limit.
func ParseLabels(text string) (Labels, error) {
	var labels Labels
	for pair := range strings.SplitSeq(text, ",") {
		value, word, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("labels: %s is not value=word, as in 0=bad,1=good: %w", shown(pair), ErrTask)
		}
		if len(labels) == maxChoices {
			return nil, fmt.Errorf("labels: more than %d: %w", maxChoices, ErrTask)
		}
		labels = append(labels, Label{Value: strings.TrimSpace(value), Word: word})
	}
	return labels, checkLabels(labels)
}

var errLabels = errors.New(`labels must be an object of texts, as in {"0": "bad", "1": "good"}`)

// UnmarshalJSON reads an object of texts and keeps its order.
func (l *Labels) UnmarshalJSON(raw []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return errLabels
	}
	for decoder.More() {
		value, err := decoder.Token()
		if err != nil {
			return err
		}
		word, err := decoder.Token()
		if err != nil {
			return err
		}
		label := Label{}
		label.Value, _ = value.(string) // the decoder admits no other key
		var ok bool
		if label.Word, ok = word.(string); !ok {
			return errLabels
		}
		if len(*l) == maxChoices {
			return fmt.Errorf("more than %d labels", maxChoices)
		}
		*l = append(*l, label)
	}
	return nil
}

// ReadTask reads a task file.
func ReadTask(path string) (Task, error) {
	file, err := open(path)
	if err != nil {
		return Task{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSpecBytes+1))
	if err != nil {
		return Task{}, fmt.Errorf("%s: %w", path, err)
	}
	task, err := ParseTask(text)
	if err != nil {
		return Task{}, fmt.Errorf("%s: %w", path, err)
	}
	return task, nil
}

// ParseTask reads the text of a task file.
func ParseTask(text []byte) (Task, error) {
	if len(text) > maxSpecBytes {
		return Task{}, fmt.Errorf("task is longer than %d bytes: %w", maxSpecBytes, ErrTask)
	}
	if !utf8.Valid(text) {
		return Task{}, fmt.Errorf("invalid UTF-8 at byte %d: %w", invalidAt(text), ErrTask)
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	decoder.DisallowUnknownFields()
	var spec Spec
	if err := decoder.Decode(&spec); err != nil {
		return Task{}, fmt.Errorf("%v: %w", err, ErrTask)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Task{}, fmt.Errorf("more text after the JSON object: %w", ErrTask)
	}
	return spec.Task()
}
