package data

import "strings"

// Kind says what a field of a row holds.
type Kind uint8

// The kinds of a field. Those of a TSV or CSV file are all Text.
const (
	Text    Kind = iota // a string
	Number              // a JSON number; Value.Text is its spelling
	Boolean             // Value.Text is "true" or "false"
	List                // a list of strings
	Other               // null, an object or any other list: Value.JSON is its spelling
)

// String names the kind as an error message does.
func (k Kind) String() string {
	switch k {
	case Text:
		return "text"
	case Number:
		return "a number"
	case Boolean:
		return "true or false"
	case List:
		return "a list of texts"
	default:
		return "null, an object or a mixed list"
	}
}

// Value is what one field of a row holds.
type Value struct {
	Kind Kind
	Text string   // of Text, Number and Boolean
	List []string // of List
	JSON []byte   // of Other
}

// Row is one record of a dataset. Names[i] is the name of Values[i]; no name
// occurs twice. The fields of an object in a field are there as well, by a
// dotted name: "target.span1_text".
type Row struct {
	Line   int // of the file, from 1
	Names  []string
	Values []Value
}

// Field returns the value of the first of the given names that the row has.
func (r *Row) Field(names ...string) (Value, bool) {
	for _, name := range names {
		for i, have := range r.Names {
			if have == name {
				return r.Values[i], true
			}
		}
	}
	return Value{}, false
}

// wanted spells alternatives for a message: «sentence, content or text».
func wanted(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
