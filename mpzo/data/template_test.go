package data

import (
	"strings"
	"testing"
)

func row(pairs ...string) *Row {
	r := &Row{Line: 1}
	for i := 0; i < len(pairs); i += 2 {
		r.Names = append(r.Names, pairs[i])
		r.Values = append(r.Values, Value{Text: pairs[i+1]})
	}
	return r
}

func TestTemplatePrompt(t *testing.T) {
	cases := []struct {
		template string
		row      *Row
		want     string
	}{
		{"{sentence} It was {label}", row("sentence", " fine . "), "fine . It was "},
		{"{a}{b}{a} = {label}", row("a", "1", "b", "2"), "121 = "},
		{"{{{a}}} {{}}{label}", row("a", "x"), "{x} {}"},
		{"{x|y|a}:{label}", row("a", "1", "y", "2"), "2:"},
		{"é {a}\n{label}", row("a", "{label}"), "é {label}\n"},
	}
	for _, c := range cases {
		template, err := ParseTemplate(c.template)
		if err != nil {
			t.Fatal(err)
		}
		got, err := template.Prompt(c.row)
		if err != nil || got != c.want {
			t.Errorf("%s gives %q, error %v; want %q", c.template, got, err, c.want)
		}
		if template.String() != c.template {
			t.Errorf("String is %q", template.String())
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	cases := []struct{ template, part string }{
		{"", "no {label}"},
		{"{text} It was", "no {label}"},
		{"{text} It was {{label}}", "no {label}"},
		{"{label}", "nothing comes before"},
		{"{text} {label} .", "must end"},
		{"{text} {label}{label}", "must end"},
		{"{label} {text}", "must end"},
		{"{text {label}", "is no field name"},
		{"{text} {label", "never closed"},
		{"{} {label}", "no name"},
		{"{a|} {label}", "no name"},
		{"{a|label}", "no alternatives"[3:]},
		{"{label|a}", "no alternatives"},
		{"{two words} {label}", "is no field name"},
		{"text} {label}", "closes nothing"},
		{"{a}} {label}", "closes nothing"},
		{strings.Repeat("x", maxTemplateBytes+1), "limit"},
		{strings.Repeat("{a}", maxTemplatePieces+1) + "{label}", "pieces"},
	}
	for _, c := range cases {
		_, err := ParseTemplate(c.template)
		wantError(t, err, ErrTemplate, c.part)
	}
}
