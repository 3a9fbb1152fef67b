package data

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// layout turns a row of a published file into the rows that a task reads: one,
// several or none. What it emits holds until emit returns.
type layout func(row *Row, emit func(*Row) error) error

// layouts by name. An empty name is rows as they are.
var layouts = map[string]layout{"": nil, "arc": arcRows, "multirc": multiRCRows}

func findLayout(name string) (layout, error) {
	if l, ok := layouts[name]; ok {
		return l, nil
	}
	return nil, fmt.Errorf("layout %s is neither arc nor multirc: %w", shown(name), ErrTask)
}

// multiRCRows makes a row of each answer of each question: SuperGLUE's file has
// a passage a line, with its questions and their answers in it. Rows that have a
// paragraph already stay as they are.
func multiRCRows(row *Row, emit func(*Row) error) error {
	if _, flat := row.Field("paragraph"); flat {
		return emit(row)
	}
	text, err := rawText(row, []string{"passage.text"})
	if err != nil {
		return err
	}
	var questions []struct {
		Question string `json:"question"`
		Answers  []struct {
			Text  string      `json:"text"`
			Label json.Number `json:"label"`
		} `json:"answers"`
	}
	if err := decodeField(row, "passage.questions", &questions); err != nil {
		return err
	}
	for q, question := range questions {
		for _, answer := range question.Answers {
			out := Row{
				Line:  row.Line,
				Names: []string{"paragraph", "question", "answer", "question_of"},
				Values: []Value{
					{Text: text}, {Text: question.Question}, {Text: answer.Text}, {Text: fmt.Sprint(row.Line, ".", q)},
				},
			}
			if answer.Label != "" {
				out.Names = append(out.Names, "label")
				out.Values = append(out.Values, Value{Kind: Number, Text: answer.Label.String()})
			}
			if err := emit(&out); err != nil {
				return err
			}
		}
	}
	return nil
}

// arcRows adds to a row the lines of its options, «- A: text», as the field
// options. It reads the published file (question.stem, question.choices with
// text and label each) and its usual flat form (question, and choices.text beside
// choices.label). As in MobiZO's code, questions whose answer is not called A, B,
// C or D are left out.
func arcRows(row *Row, emit func(*Row) error) error {
	key, err := textOf(row, []string{"answerKey"})
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"A", "B", "C", "D"}, key) {
		return nil
	}
	labels, texts, err := arcChoices(row)
	if err != nil {
		return err
	}
	stem, err := textOf(row, []string{"question.stem", "question"})
	if err != nil {
		return err
	}
	var options strings.Builder
	for i, label := range labels {
		fmt.Fprintf(&options, "- %s: %s\n", label, texts[i])
	}
	return emit(&Row{
		Line:   row.Line,
		Names:  []string{"question", "options", "answerKey"},
		Values: []Value{{Text: stem}, {Text: options.String()}, {Text: key}},
	})
}

func arcChoices(row *Row) (labels, texts []string, err error) {
	if value, ok := row.Field("choices.label"); ok && value.Kind == List {
		listed, _ := row.Field("choices.text")
		if len(listed.List) != len(value.List) {
			return nil, nil, fmt.Errorf("field choices has %d texts for %d labels", len(listed.List), len(value.List))
		}
		return value.List, listed.List, nil
	}
	var choices []struct {
		Text  string `json:"text"`
		Label string `json:"label"`
	}
	err = decodeField(row, "question.choices", &choices)
	for _, choice := range choices {
		labels, texts = append(labels, choice.Label), append(texts, choice.Text)
	}
	return labels, texts, err
}

// decodeField reads a list of objects.
func decodeField(row *Row, name string, into any) error {
	value, ok := row.Field(name)
	switch {
	case !ok:
		return fmt.Errorf("missing field %s (the row has %s)", name, shown(strings.Join(row.Names, ", ")))
	case value.Kind == List && len(value.List) == 0:
		return nil
	case value.Kind != Other:
		return fmt.Errorf("field %s is %s where a list of objects is wanted", name, value.Kind)
	}
	if err := json.Unmarshal(value.JSON, into); err != nil {
		return fmt.Errorf("field %s: %v", name, err)
	}
	return nil
}
