package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// object is a JSON object with its values unread. encoding/json takes the last
// of two equal keys; here they are refused.
type object map[string]json.RawMessage

// readObject reads an object. what names it in errors.
func readObject(what string, data []byte) (object, error) {
	o := make(object)
	err := eachMember(what, data, func(key string, decoder *json.Decoder) error {
		if _, found := o[key]; found {
			return fmt.Errorf("key %q appears twice: %w", key, ErrMalformed)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("%q: %w: %w", key, err, ErrMalformed)
		}
		o[key] = value
		return nil
	})
	return o, err
}

// eachMember calls visit for each key of an object; visit reads the value.
func eachMember(what string, data []byte, visit func(key string, value *json.Decoder) error) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("%s: not valid UTF-8: %w", what, ErrMalformed)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return fmt.Errorf("%s: want a JSON object: %w", what, ErrMalformed)
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("%s: %w: %w", what, err, ErrMalformed)
		}
		if err := visit(key.(string), decoder); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("%s: %w: %w", what, err, ErrMalformed)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("%s: more than one JSON value: %w", what, ErrMalformed)
	}
	return nil
}

// has reports whether key is there and not null.
func (o object) has(key string) bool {
	value, found := o[key]
	return found && string(value) != "null"
}

// read reads the value of key into a variable of the right type; it stays as it
// is where the key is missing or null.
func (o object) read(key string, into any) error {
	if !o.has(key) {
		return nil
	}
	if err := json.Unmarshal(o[key], into); err != nil {
		return fmt.Errorf("%s: %w: %w", key, err, ErrMalformed)
	}
	return nil
}

// array reads the list that is the value of key, none where it is missing.
func (o object) array(key string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	err := o.read(key, &out)
	return out, err
}

// readVocabulary reads an object of tokens and ids.
func readVocabulary(what string, data []byte) (map[string]int32, error) {
	vocab := make(map[string]int32)
	err := eachMember(what, data, func(key string, value *json.Decoder) error {
		var id int32
		if err := value.Decode(&id); err != nil {
			return fmt.Errorf("%q: %w: %w", key, err, ErrMalformed)
		}
		switch _, found := vocab[key]; {
		case found:
			return fmt.Errorf("token %q appears twice: %w", key, ErrMalformed)
		case id < 0:
			return fmt.Errorf("token %q: id %d: %w", key, id, ErrMalformed)
		case id >= maxPieces:
			return fmt.Errorf("token %q: id %d, limit %d: %w", key, id, maxPieces, ErrTooLarge)
		}
		vocab[key] = id
		return nil
	})
	return vocab, err
}
