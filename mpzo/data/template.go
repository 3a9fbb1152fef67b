package data

import (
	"fmt"
	"strings"
)

// Template makes a prompt of a row. Its language:
//
//	{name}           the field of that name, without spaces at its ends
//	{name|other}     the first of these fields that the row has
//	{name:filter}    the field changed by a filter, or by several in turn
//	{name:a=b,c=d}   the field's value replaced: b for a, d for c
//	{{ and }}        a brace
//	{label}          where the answer goes, for a model that goes on with a text
//	{mask}           where the answer goes, for a masked language model
//
// All else is literal. One {label} or {mask} must be there. What follows a
// {label} belongs to the answer, and is scored with it; what follows a {mask} is
// read like what precedes it.
type Template struct {
	source string
	before []piece // of the answer
	after  []piece
	masked bool
}

// piece is literal text or, where names is not nil, a field.
type piece struct {
	literal string
	names   []string
	filters []filter
}

// The placeholders of the answer.
const (
	labelMarker = "label"
	maskMarker  = "mask"
)

const (
	maxTemplateBytes  = 64 << 10
	maxTemplatePieces = 256
)

// ParseTemplate reads a template. Errors wrap ErrTemplate and show where.
func ParseTemplate(source string) (Template, error) {
	t := Template{source: source}
	pieces, err := parsePieces(source)
	if err != nil {
		return t, err
	}
	marker := ""
	for i, p := range pieces {
		name := p.marker()
		switch {
		case name == "":
			continue
		case marker != "":
			return t, templateError(source, "{%s} comes after {%s}: there is one answer", name, marker)
		}
		marker, t.masked = name, name == maskMarker
		t.before, t.after = pieces[:i], pieces[i+1:]
	}
	switch {
	case marker == "":
		return t, templateError(source, "no {label} marks where the answer goes")
	case len(t.before) == 0 && !t.masked:
		return t, templateError(source, "nothing comes before {label}")
	case len(t.before)+len(t.after) == 0:
		return t, templateError(source, "nothing is beside {mask}")
	}
	return t, nil
}

// parsePhrase reads a template that has no answer: a candidate made of fields.
func parsePhrase(source string) ([]piece, error) {
	pieces, err := parsePieces(source)
	if err != nil {
		return nil, err
	}
	for _, p := range pieces {
		if name := p.marker(); name != "" {
			return nil, templateError(source, "{%s} cannot be part of an answer", name)
		}
	}
	if len(pieces) == 0 {
		return nil, templateError(source, "a choice is empty")
	}
	return pieces, nil
}

// marker returns which placeholder of the answer the piece is, if any.
func (p *piece) marker() string {
	if len(p.names) == 1 && len(p.filters) == 0 && (p.names[0] == labelMarker || p.names[0] == maskMarker) {
		return p.names[0]
	}
	return ""
}

// parsePieces reads literals and placeholders.
func parsePieces(source string) ([]piece, error) {
	if len(source) > maxTemplateBytes {
		return nil, templateError(source, "%d bytes, the limit is %d", len(source), maxTemplateBytes)
	}
	var pieces []piece
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			pieces = append(pieces, piece{literal: literal.String()})
			literal.Reset()
		}
	}
	for at := 0; at < len(source); {
		rest := source[at:]
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			literal.WriteByte(rest[0])
			at += 2
			continue
		case rest[0] == '}':
			return nil, templateError(source, "a } at byte %d closes nothing (write }} for a brace)", at)
		case rest[0] != '{':
			literal.WriteByte(rest[0])
			at++
			continue
		}
		field, size, err := parsePlaceholder(rest)
		if err != nil {
			return nil, templateError(source, "at byte %d: %v", at, err)
		}
		at += size
		flush()
		if pieces = append(pieces, field); len(pieces) > maxTemplatePieces {
			return nil, templateError(source, "more than %d pieces", maxTemplatePieces)
		}
	}
	flush()
	return pieces, nil
}

func templateError(source, format string, args ...any) error {
	return fmt.Errorf("template %s: %s: %w", shown(source), fmt.Sprintf(format, args...), ErrTemplate)
}

// parsePlaceholder reads «{name|other:filter}» at the start of text and returns
// the piece and the bytes taken.
func parsePlaceholder(text string) (p piece, size int, err error) {
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return p, 0, fmt.Errorf("{ is never closed (write {{ for a brace)")
	}
	fields, filters, filtered := strings.Cut(text[1:end], ":")
	p.names = strings.Split(fields, "|")
	for _, name := range p.names {
		switch {
		case name == "":
			return p, 0, fmt.Errorf("a placeholder has no name")
		case name != strings.TrimSpace(name), strings.ContainsAny(name, "{\t\n\r"):
			return p, 0, fmt.Errorf("%s is no field name (write {{ for a brace)", shown(name))
		case (name == labelMarker || name == maskMarker) && (len(p.names) > 1 || filtered):
			return p, 0, fmt.Errorf("{%s} has no alternatives or filters", name)
		}
	}
	if filtered {
		for name := range strings.SplitSeq(filters, ":") {
			f, err := parseFilter(name)
			if err != nil {
				return p, 0, err
			}
			p.filters = append(p.filters, f)
		}
	}
	return p, end + 1, nil
}

// String returns the template as it was written.
func (t Template) String() string { return t.source }

// Masked reports whether the answer is a {mask}.
func (t Template) Masked() bool { return t.masked }

// Fields returns the names of each placeholder, alternatives together.
func (t Template) Fields() [][]string {
	return append(fieldsOf(t.before), fieldsOf(t.after)...)
}

func fieldsOf(pieces []piece) [][]string {
	var fields [][]string
	for _, p := range pieces {
		if p.names != nil {
			fields = append(fields, p.names)
		}
	}
	return fields
}

// segment is a piece filled from a row.
type segment struct {
	text  string
	field bool
}

func fill(row *Row, pieces []piece) ([]segment, error) {
	out := make([]segment, len(pieces))
	for i, p := range pieces {
		if p.names == nil {
			out[i] = segment{text: p.literal}
			continue
		}
		text, err := p.value(row)
		if err != nil {
			return nil, err
		}
		out[i] = segment{text: text, field: true}
	}
	return out, nil
}

func joined(row *Row, pieces []piece) (string, error) {
	segments, err := fill(row, pieces)
	return concat(segments), err
}

func concat(segments []segment) string {
	var text strings.Builder
	for _, s := range segments {
		text.WriteString(s.text)
	}
	return text.String()
}

// value returns the piece's field of a row, filtered.
func (p *piece) value(row *Row) (string, error) {
	text, err := rawText(row, p.names)
	if err != nil {
		return "", err
	}
	filters := p.filters
	if len(filters) > 0 && filters[0].raw {
		filters = filters[1:]
	} else {
		text = strings.TrimSpace(text)
	}
	for _, f := range filters {
		if text, err = f.apply(text); err != nil {
			return "", fmt.Errorf("field %s: %w", wanted(p.names), err)
		}
	}
	return text, nil
}

// textOf returns the text of the first of the named fields that the row has,
// without spaces at its ends.
func textOf(row *Row, names []string) (string, error) {
	text, err := rawText(row, names)
	return strings.TrimSpace(text), err
}

// rawText is textOf with the spaces. Text of nothing but spaces is refused.
func rawText(row *Row, names []string) (string, error) {
	value, ok := row.Field(names...)
	if !ok {
		return "", fmt.Errorf("missing field %s (the row has %s)", wanted(names), shown(strings.Join(row.Names, ", ")))
	}
	if value.Kind == List || value.Kind == Other {
		return "", fmt.Errorf("field %s is %s where text is wanted", wanted(names), value.Kind)
	}
	if strings.TrimSpace(value.Text) == "" {
		return "", fmt.Errorf("field %s has empty text", wanted(names))
	}
	return value.Text, nil
}
