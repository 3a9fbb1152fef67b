package data

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// filter changes a field's text on its way into a prompt.
type filter struct {
	raw   bool // keep the spaces at the ends: only as a placeholder's first
	apply func(text string) (string, error)
}

// filters by name. They are what MeZO's and MobiZO's prompts do to fields.
var filters = map[string]func(string) (string, error){
	"lower":       always(strings.ToLower),
	"lower_first": always(func(s string) string { return mapFirst(s, unicode.ToLower) }),
	"upper_first": always(func(s string) string { return mapFirst(s, unicode.ToUpper) }),
	// uncapitalise makes a sentence the continuation of another: its first word
	// in lower case, unless it is «I».
	"uncapitalise": always(uncapitalise),
	// no_stop drops one full stop from the end.
	"no_stop": always(func(s string) string { return strings.TrimSuffix(s, ".") }),
	// question_mark adds a question mark where there is none at the end.
	"question_mark": always(func(s string) string { return strings.TrimSuffix(s, "?") + "?" }),
	// cut drops the last character, whatever it is.
	"cut": always(func(s string) string {
		_, size := utf8.DecodeLastRuneInString(s)
		return s[:len(s)-size]
	}),
	// before_gap and after_gap are the two sides of the one «_».
	"before_gap": func(s string) (string, error) { return side(s, 0) },
	"after_gap":  func(s string) (string, error) { return side(s, 1) },
}

// filterNames lists the filters for messages.
const filterNames = "raw, lower, lower_first, upper_first, uncapitalise, no_stop, question_mark, cut, before_gap, after_gap or a list such as a=b,c=d"

func always(change func(string) string) func(string) (string, error) {
	return func(text string) (string, error) { return change(text), nil }
}

// parseFilter reads a filter's name, or the pairs «a=b,c=d».
func parseFilter(name string) (filter, error) {
	if name == "raw" {
		return filter{raw: true, apply: func(text string) (string, error) { return text, nil }}, nil
	}
	if apply, ok := filters[name]; ok {
		return filter{apply: apply}, nil
	}
	if !strings.Contains(name, "=") {
		return filter{}, fmt.Errorf("no filter is named %s (there are %s)", shown(name), filterNames)
	}
	var from, to []string
	for pair := range strings.SplitSeq(name, ",") {
		value, text, ok := strings.Cut(pair, "=")
		if !ok {
			return filter{}, fmt.Errorf("%s is not value=text, as in a=b,c=d", shown(pair))
		}
		from, to = append(from, value), append(to, text)
	}
	return filter{apply: func(text string) (string, error) {
		for i, value := range from {
			if value == text {
				return to[i], nil
			}
		}
		return "", fmt.Errorf("unknown value %s (want %s)", shown(text), wanted(from))
	}}, nil
}

func mapFirst(text string, change func(rune) rune) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(change(first)) + text[size:]
}

func uncapitalise(text string) string {
	first, rest, more := strings.Cut(text, " ")
	if first != "I" {
		first = strings.ToLower(first)
	}
	if more {
		return first + " " + rest
	}
	return first
}

func side(text string, which int) (string, error) {
	parts := strings.Split(text, "_")
	if len(parts) != 2 {
		return "", fmt.Errorf("%s has %d gaps (_) where one is wanted", shown(text), len(parts)-1)
	}
	return parts[which], nil
}
