package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// object reads a JSON object's values without looking into them. A key given
// twice is an error: encoding/json would silently keep the last. limit bounds
// the number of keys, and with it the memory that small text can ask for.
func object(text []byte, limit int) (map[string]json.RawMessage, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("not UTF-8: %w", ErrInvalid)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("want a JSON object: %w", ErrInvalid)
	}
	values := make(map[string]json.RawMessage)
	for decoder.More() {
		token, err := decoder.Token()
		key, isText := token.(string)
		if err != nil || !isText {
			return nil, fmt.Errorf("JSON byte %d: want a key: %w", decoder.InputOffset(), ErrInvalid)
		}
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("%.64q is given twice: %w", key, ErrInvalid)
		}
		if len(values) == limit {
			return nil, fmt.Errorf("more than %d keys: %w", limit, ErrInvalid)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("%.64q: JSON byte %d: %v: %w", key, decoder.InputOffset(), err, ErrInvalid)
		}
		values[key] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("JSON object without an end: %w", ErrInvalid)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("more text after the JSON object: %w", ErrInvalid)
	}
	return values, nil
}
