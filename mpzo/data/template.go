package data

import (
	"fmt"
	"strings"
)

// Template makes a prompt of a row. Its language:
//
//	{name}        the field of that name, without spaces at its ends
//	{name|other}  the first of these fields that the row has
//	{{ and }}     a brace
//	{label}       where the answer goes: exactly once, and at the very end
//
// All else is literal.
type Template struct {
	source string
	pieces []piece // before the label
}

// piece is literal text or, where names is not nil, a field.
type piece struct {
	literal string
	names   []string
}

// labelMarker is the placeholder of the answer.
const labelMarker = "label"

const (
	maxTemplateBytes  = 64 << 10
	maxTemplatePieces = 256
)

// ParseTemplate reads a template. Errors wrap ErrTemplate and show where.
func ParseTemplate(source string) (Template, error) {
	t := Template{source: source}
	if len(source) > maxTemplateBytes {
		return t, fmt.Errorf("template has %d bytes, the limit is %d: %w", len(source), maxTemplateBytes, ErrTemplate)
	}
	labelled := false
	var literal strings.Builder
	for at := 0; at < len(source); {
		rest := source[at:]
		if labelled {
			return t, t.errorf("text %s follows {label}, which must end the template", shown(rest))
		}
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			literal.WriteByte(rest[0])
			at += 2
			continue
		case rest[0] == '}':
			return t, t.errorf("a } at byte %d closes nothing (write }} for a brace)", at)
		case rest[0] != '{':
			literal.WriteByte(rest[0])
			at++
			continue
		}
		names, size, err := parsePlaceholder(rest)
		if err != nil {
			return t, t.errorf("at byte %d: %v", at, err)
		}
		at += size
		if names[0] == labelMarker {
			labelled = true
			continue
		}
		t.addLiteral(&literal)
		t.pieces = append(t.pieces, piece{names: names})
		if len(t.pieces) > maxTemplatePieces {
			return t, t.errorf("more than %d pieces", maxTemplatePieces)
		}
	}
	if !labelled {
		return t, t.errorf("no {label} marks where the answer goes")
	}
	t.addLiteral(&literal)
	if len(t.pieces) == 0 {
		return t, t.errorf("nothing comes before {label}")
	}
	return t, nil
}

func (t *Template) addLiteral(text *strings.Builder) {
	if text.Len() > 0 {
		t.pieces = append(t.pieces, piece{literal: text.String()})
		text.Reset()
	}
}

func (t *Template) errorf(format string, args ...any) error {
	return fmt.Errorf("template %s: %s: %w", shown(t.source), fmt.Sprintf(format, args...), ErrTemplate)
}

// parsePlaceholder reads «{name|other}» at the start of text and returns the
// names and the bytes taken.
func parsePlaceholder(text string) (names []string, size int, err error) {
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return nil, 0, fmt.Errorf("{ is never closed (write {{ for a brace)")
	}
	names = strings.Split(text[1:end], "|")
	for _, name := range names {
		switch {
		case name == "":
			return nil, 0, fmt.Errorf("a placeholder has no name")
		case strings.ContainsAny(name, "{ \t\n\r"):
			return nil, 0, fmt.Errorf("%s is no field name (write {{ for a brace)", shown(name))
		case name == labelMarker && len(names) > 1:
			return nil, 0, fmt.Errorf("{label} has no alternatives")
		}
	}
	return names, end + 1, nil
}

// String returns the template as it was written.
func (t Template) String() string { return t.source }

// Fields returns the names of each placeholder, alternatives together.
func (t Template) Fields() [][]string {
	var fields [][]string
	for _, p := range t.pieces {
		if p.names != nil {
			fields = append(fields, p.names)
		}
	}
	return fields
}

// Prompt fills the template from a row: all that comes before the answer.
func (t Template) Prompt(row *Row) (string, error) {
	var prompt strings.Builder
	for _, p := range t.pieces {
		if p.names == nil {
			prompt.WriteString(p.literal)
			continue
		}
		text, err := textOf(row, p.names)
		if err != nil {
			return "", err
		}
		prompt.WriteString(text)
	}
	return prompt.String(), nil
}

// textOf returns the text of the first of the named fields that the row has,
// without spaces at its ends.
func textOf(row *Row, names []string) (string, error) {
	value, ok := row.Field(names...)
	if !ok {
		return "", fmt.Errorf("missing field %s (the row has %s)", wanted(names), shown(strings.Join(row.Names, ", ")))
	}
	if value.Kind == List || value.Kind == Other {
		return "", fmt.Errorf("field %s is %s where text is wanted", wanted(names), value.Kind)
	}
	text := strings.TrimSpace(value.Text)
	if text == "" {
		return "", fmt.Errorf("field %s has empty text", wanted(names))
	}
	return text, nil
}
