package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var overall = Spec{
	Template: "{text} Overall : {label}",
	Labels:   Labels{{"0", "bad"}, {"1", "good"}},
}

func TestBuiltInTasks(t *testing.T) {
	for _, spec := range BuiltIns() {
		if task, err := BuiltIn(spec.Name); err != nil || task.Name != spec.Name {
			t.Errorf("%s: %q, %v", spec.Name, task.Name, err)
		}
	}
	_, err := BuiltIn("sst3")
	wantError(t, err, ErrTask, `"sst3"`, "sst2")
}

func TestTaskFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "task.json")
	text := `{"name": "r", "template": "{text} Overall : {label}", "labels": {"1": "good", "0": "bad", "2": "so, so"},
		"label_field": "stars", "loss": "choices"}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	task, err := ReadTask(path)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "labels", task.Labels, []Label{{"1", "good"}, {"0", "bad"}, {"2", "so, so"}})
	if task.Name != "r" || task.LabelField != "stars" || task.Loss != ChoiceLoss {
		t.Errorf("task is %+v", task)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ReadTask(path)
	wantError(t, err, ErrTask, path)
	if _, err = ReadTask(path + "x"); !os.IsNotExist(err) {
		t.Errorf("a missing file gives %v", err)
	}
}

func TestTaskFileRefuses(t *testing.T) {
	const template = `"template": "{text} {label}"`
	cases := []struct {
		text string
		kind error
		part string
	}{
		{``, ErrTask, "EOF"},
		{`[]`, ErrTask, "array"},
		{`{` + template + `, "labels": {"0":"a","1":"b"}} x`, ErrTask, "more text"},
		{`{` + template + `, "lables": {"0":"a"}}`, ErrTask, "lables"},
		{`{` + template + `, "labels": {"0":"a","0":"b"}}`, ErrTask, "twice"},
		{`{` + template + `, "labels": {"0":"a","1":"a"}}`, ErrTask, "same word"},
		{`{` + template + `, "labels": {"0":"a","1":" "}}`, ErrTask, "no word"},
		{`{` + template + `, "labels": {"":"a","1":"b"}}`, ErrTask, "no value"},
		{`{` + template + `, "labels": {"0":"a"}}`, ErrTask, "1 labels"},
		{`{` + template + `, "labels": {"0":1}}`, ErrTask, "object of texts"},
		{`{` + template + `, "labels": ["a","b"]}`, ErrTask, "object of texts"},
		{`{` + template + `, "labels": {"0":["a"],"1":"b"}}`, ErrTask, "object of texts"},
		{`{` + template + `}`, ErrTask, "0 of labels"},
		{`{` + template + `, "labels": {}}`, ErrTask, "0 of labels"},
		{`{` + template + `, "answer_field": "a", "choices_field": "b"}`, ErrTask, "2 of labels"},
		{`{` + template + `, "choices": ["{a}"]}`, ErrTask, "1 choices"},
		{`{` + template + `, "choices": ["{a}", ""]}`, ErrTemplate, "a choice is empty"},
		{`{` + template + `, "answer_field": "a", "loss": "choices"}`, ErrTask, "one candidate"},
		{`{` + template + `, "answer_field": "a", "loss": "both"}`, ErrTask, `"both"`},
		{`{` + template + `, "choices": ["{a}", "{b} {label}"]}`, ErrTemplate, "cannot be part of an answer"},
		{`{` + template + `, "choices": ["{a}", "{b:c}"]}`, ErrTemplate, "no filter is named"},
		{`{` + template + `, "labels": {"0|1":"a","1":"b"}}`, ErrTask, "twice"},
		{`{` + template + `, "labels": {"0|":"a","1":"b"}}`, ErrTask, "no value"},
		{`{` + template + `, "answer_field": "a", "metrics": ["accuracy"]}`, ErrTask, "needs candidates"},
		{`{` + template + `, "answer_field": "a", "metrics": ["bleu"]}`, ErrTask, `"bleu"`},
		{`{` + template + `, "answer_field": "a", "metrics": ["f1", "f1"]}`, ErrTask, "twice"},
		{`{` + template + `, "choices": ["{a}", "{b}"], "metrics": ["f1"]}`, ErrTask, "two labels"},
		{`{` + template + `, "choices": ["{a}", "{b}"], "metrics": ["macro_f1"]}`, ErrTask, "needs labels"},
		{`{` + template + `, "labels": {"0":"a","1":"b"}, "metrics": ["f1", "macro_f1"]}`, ErrTask, "exclude"},
		{`{` + template + `, "labels": {"0":"a","1":"b"}, "metrics": ["exact_match"]}`, ErrTask, "group_field"},
		{`{` + template + `, "answer_field": "a", "new_tokens": 5000}`, ErrTask, "new_tokens"},
		{`{` + template + `, "answer_field": "a", "new_tokens": -1}`, ErrTask, "new_tokens"},
		{`{` + template + `, "choices": ["{a}", "{b}"], "first_choice": -1}`, ErrTask, "first_choice"},
		{`{` + template + `, "labels": {"0":"a","1":"b"}, "score": "sum"}`, ErrTask, "is not mean"},
		{`{` + template + `, "answer_field": "a", "layout": "x"}`, ErrTask, "neither arc"},
		{`{"template": "{text} {mask}", "answer_field": "a"}`, ErrTask, "needs labels"},
		{`{"template": "{text}", "answer_field": "a"}`, ErrTemplate, "no {label}"},
		{"{\"name\": \"\xff\"}", ErrTask, "UTF-8 at byte 10"},
		{strings.Repeat(" ", maxSpecBytes+1), ErrTask, "longer"},
	}
	for _, c := range cases {
		_, err := ParseTask([]byte(c.text))
		wantError(t, err, c.kind, c.part)
	}
}

func TestParseLabels(t *testing.T) {
	labels, err := ParseLabels("0=bad, 1= very good,x=a=b")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "labels", labels, Labels{{"0", "bad"}, {"1", " very good"}, {"x", "a=b"}})
	for text, part := range map[string]string{
		"": "value=word", "0": "value=word", "0=bad": "1 labels", "0=bad,": "value=word",
		"0=bad,0=good": "twice", "0=bad,1=bad": "same word", "0=,1=good": "no word", "=a,1=b": "no value",
		strings.Repeat("1=a,", 300): "more than 256",
	} {
		_, err := ParseLabels(text)
		wantError(t, err, ErrTask, part)
	}
}

func TestReadRefusesRows(t *testing.T) {
	choices := Spec{Template: "{q} {label}", ChoicesField: "choices"}
	fields := Spec{Template: "{q} {label}", Choices: []string{"{a}", "{b}"}}
	free := Spec{Template: "{q} {label}", AnswerField: "answer"}
	cases := []struct {
		name, file, text string
		spec             Spec
		parts            []string
	}{
		{"unknown label", "a.tsv", "label\ttext\n1\tx\n2\ty\n", overall, []string{"a.tsv:3:", `unknown label "2" (want 0 or 1)`}},
		{"empty label", "a.tsv", "label\ttext\n\tx\n", overall, []string{"a.tsv:2:", "label has empty text"}},
		{"empty text", "a.tsv", "label\ttext\n1\tx\n1\t \n", overall, []string{"a.tsv:3:", "text has empty text"}},
		{"only tabs", "a.tsv", "label\ttext\n\t\n", overall, []string{"a.tsv:2:", "empty text"}},
		{"no column", "a.tsv", "label\tcontent\n1\tx\n", overall, []string{"a.tsv:1:", "missing field text", "label, content"}},
		{"no label column", "a.tsv", "score\ttext\n1\tx\n", overall, []string{"a.tsv:1:", "missing field label"}},
		{"no header", "a.tsv", "1\tgood .\n", sst2(), []string{"a.tsv:1:", "sentence, content or text"}},
		{"no field", "a.jsonl", `{"label":1}`, overall, []string{"a.jsonl:1:", "missing field text"}},
		{"no label", "a.jsonl", `{"text":"x"}`, overall, []string{"missing field label"}},
		{"text is null", "a.jsonl", `{"text":null,"label":1}`, overall, []string{"field text is null"}},
		{"text is a list", "a.jsonl", `{"text":["x"],"label":1}`, overall, []string{"field text is a list"}},
		{"label is an object", "a.jsonl", `{"text":"x","label":{}}`, overall, []string{"field label is"}},
		{"label is 1.0", "a.jsonl", `{"text":"x","label":1.0}`, overall, []string{`unknown label "1.0"`}},
		{"long label", "a.jsonl", `{"text":"x","label":"` + strings.Repeat("é", 50) + `"}`, overall, []string{strings.Repeat("é", 40) + "\"…"}},
		{"no choices", "a.jsonl", `{"q":"x","label":0}`, choices, []string{"missing field choices"}},
		{"choices are text", "a.jsonl", `{"q":"x","label":0,"choices":"ab"}`, choices, []string{"field choices is text"}},
		{"one choice", "a.jsonl", `{"q":"x","label":0,"choices":["a"]}`, choices, []string{"1 choices"}},
		{"too many choices", "a.jsonl", `{"q":"x","label":0,"choices":[` + strings.Repeat(`"x",`, 256) + `"x"]}`, choices, []string{"257 choices"}},
		{"empty choice", "a.jsonl", `{"q":"x","label":0,"choices":["a"," "]}`, choices, []string{"choice 1", "empty text"}},
		{"mixed choices", "a.jsonl", `{"q":"x","label":0,"choices":["a",1]}`, choices, []string{"mixed list"}},
		{"same choices", "a.jsonl", `{"q":"x","label":0,"choices":["a","b","a "]}`, choices, []string{"answers 0 and 2 are the same"}},
		{"choice past the end", "a.jsonl", `{"q":"x","label":2,"choices":["a","b"]}`, choices, []string{`unknown label "2" (want a number from 0 to 1)`}},
		{"choice below zero", "a.jsonl", `{"q":"x","label":-1,"choices":["a","b"]}`, choices, []string{`unknown label "-1"`}},
		{"choice by name", "a.jsonl", `{"q":"x","label":"a","choices":["a","b"]}`, choices, []string{`unknown label "a"`}},
		{"huge choice", "a.jsonl", `{"q":"x","label":99999999999999999999,"choices":["a","b"]}`, choices, []string{"unknown label"}},
		{"choice field missing", "a.jsonl", `{"q":"x","label":0,"a":"1"}`, fields, []string{"missing field b"}},
		{"choice column missing", "a.tsv", "q\tlabel\ta\nx\t0\t1\n", fields, []string{"a.tsv:1:", "missing field b"}},
		{"answer missing", "a.jsonl", `{"q":"x"}`, free, []string{"missing field answer"}},
		{"answer column missing", "a.tsv", "q\tlabel\nx\t0\n", free, []string{"a.tsv:1:", "missing field answer"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(c.file, strings.NewReader(c.text), mustTask(t, c.spec), byteEncoder{}, Options{})
			wantError(t, err, ErrRow, c.parts...)
		})
	}
	_, err := Read("a.tsv", strings.NewReader("q\tlabel\tchoices\n"), mustTask(t, choices), byteEncoder{}, Options{})
	wantError(t, err, ErrFormat, "no lists")
	_, err = Read("a.tsv", strings.NewReader("text\tlabel\n\n"), mustTask(t, overall), byteEncoder{}, Options{})
	wantError(t, err, ErrEmpty, "a.tsv")
}
