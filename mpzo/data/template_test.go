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

func TestTemplateFills(t *testing.T) {
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
		got, err := joined(c.row, template.before)
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
		{"{text} {label}{label}", "one answer"},
		{"{text} {label} or {mask}", "one answer"},
		{"{label} {text}", "nothing comes before"},
		{"{mask}", "nothing is beside"},
		{"{text} {label:lower}", "no alternatives or filters"},
		{"{text:loud} {label}", "no filter is named"},
		{"{text:lower:raw:} {label}", "no filter is named"},
		{"{text:a=b,c} {label}", "is not value=text"},
		{"{text {label}", "is no field name"},
		{"{text} {label", "never closed"},
		{"{} {label}", "no name"},
		{"{a|} {label}", "no name"},
		{"{a|label}", "no alternatives"[3:]},
		{"{label|a}", "no alternatives"},
		{"{ words} {label}", "is no field name"},
		{"{two\nlines} {label}", "is no field name"},
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

func TestTemplateFilters(t *testing.T) {
	cases := []struct{ template, value, want string }{
		{"{x:raw}", " A b ", " A b "},
		{"{x:lower}", " ÉA b ", "éa b"},
		{"{x:lower_first}", "Über Alles", "über Alles"},
		{"{x:upper_first}", "über", "Über"},
		{"{x:uncapitalise}", "McDonald ate", "mcdonald ate"},
		{"{x:uncapitalise}", "I ate", "I ate"},
		{"{x:uncapitalise}", "It's", "it's"},
		{"{x:no_stop}", "He left. ", "He left"},
		{"{x:no_stop}", "He left...", "He left.."},
		{"{x:question_mark:upper_first}", "is it", "Is it?"},
		{"{x:question_mark}", "is it?", "is it?"},
		{"{x:cut}", "né", "n"},
		{"{x:cause=because,effect=so}", "effect", "so"},
		{"{x:raw:before_gap}|{x:raw:after_gap}", "so _ left ", "so | left "},
	}
	for _, c := range cases {
		pieces, err := parsePhrase(c.template)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := joined(row("x", c.value), pieces); err != nil || got != c.want {
			t.Errorf("%s of %q gives %q, error %v; want %q", c.template, c.value, got, err, c.want)
		}
	}
	for template, part := range map[string]string{"{x:a=b,c=d}": `unknown value "_ _" (want a or c)`, "{x:after_gap}": "2 gaps"} {
		pieces, err := parsePhrase(template)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := joined(row("x", "_ _"), pieces); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s gives %v", template, err)
		}
	}
}
