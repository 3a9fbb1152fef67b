package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// decodeObject fills the row from one line, which must be one JSON object whose
// keys differ.
func (r *Reader) decodeObject(row *Row, line []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	if err := r.decodeFields(row, "", decoder); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return r.errorf("more text after the JSON object (one object a line)")
	}
	return nil
}

// maxDepth bounds how deep objects lie within objects whose fields get names.
const maxDepth = 4

// decodeFields adds the fields of one object, each name behind the prefix.
func (r *Reader) decodeFields(row *Row, prefix string, decoder *json.Decoder) error {
	opening, err := decoder.Token()
	if err != nil {
		return r.notJSON(err)
	}
	if opening != json.Delim('{') {
		return r.errorf("a row must be a JSON object, as in {\"text\": …}")
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return r.notJSON(err)
		}
		name, _ := key.(string) // the decoder admits no other key
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return r.notJSON(err)
		}
		if err := r.addField(row, prefix+name, raw); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return r.notJSON(err)
	}
	return nil
}

func (r *Reader) addField(row *Row, name string, raw json.RawMessage) error {
	if slices.Contains(row.Names, name) {
		return r.errorf("field %s is there twice", shown(name))
	}
	if len(row.Names) == maxFields {
		return r.errorf("more than %d fields", maxFields)
	}
	value, err := decodeValue(raw)
	if err != nil {
		return r.errorf("field %s: %v", shown(name), err)
	}
	row.Names = append(row.Names, name)
	row.Values = append(row.Values, value)
	if raw[0] != '{' || strings.Count(name, ".") >= maxDepth {
		return nil
	}
	return r.decodeFields(row, name+".", json.NewDecoder(bytes.NewReader(raw)))
}

func (r *Reader) notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.errorf("not JSON: the line ends too early")
	}
	return r.errorf("not JSON: %v", err)
}

var errLongList = errors.New("list has too many items")

// decodeValue reads a field's value. raw is known to be well-formed JSON.
func decodeValue(raw []byte) (Value, error) {
	switch raw[0] {
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return Value{Kind: Text, Text: text}, err
	case 't', 'f':
		return Value{Kind: Boolean, Text: string(raw)}, nil
	case '[':
		return decodeList(raw)
	case 'n', '{':
		return Value{Kind: Other, JSON: raw}, nil
	default:
		return Value{Kind: Number, Text: string(raw)}, nil
	}
}

func decodeList(raw []byte) (Value, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if _, err := decoder.Token(); err != nil { // the opening bracket
		return Value{}, err
	}
	texts := []string{}
	for decoder.More() {
		item, err := decoder.Token()
		if err != nil {
			return Value{}, err
		}
		text, ok := item.(string)
		if !ok {
			return Value{Kind: Other, JSON: raw}, nil
		}
		if len(texts) == maxFields {
			return Value{}, errLongList
		}
		texts = append(texts, text)
	}
	return Value{Kind: List, List: texts}, nil
}
