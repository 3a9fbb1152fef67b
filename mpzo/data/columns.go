package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// openColumns takes the names of the columns from the given list or, where that
// is empty, from the file's first row.
func (r *Reader) openColumns(names []string) error {
	if len(names) == 0 {
		header, err := r.splitRow()
		if errors.Is(err, io.EOF) {
			r.line = 1
			return r.errorf("no header line")
		}
		if err != nil {
			return err
		}
		names = header
	}
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		name = strings.TrimSpace(name)
		if name == "" {
			return r.errorf("column %d has no name (is the header missing?)", i+1)
		}
		if seen[name] {
			return r.errorf("two columns are named %s", shown(name))
		}
		seen[name] = true
		r.columns = append(r.columns, name)
	}
	return nil
}

// nextColumns fills a row from the next columns.
func (r *Reader) nextColumns(row *Row) error {
	for {
		parts, err := r.splitRow()
		if err != nil {
			return err
		}
		if len(parts) == len(r.columns) {
			row.Names = r.columns
			row.Values = make([]Value, len(parts))
			for i, part := range parts {
				row.Values[i] = Value{Kind: Text, Text: part}
			}
			return nil
		}
		if !r.skipBroken {
			return r.errorf("%d columns where %d are expected (%s)", len(parts), len(r.columns), strings.Join(r.columns, ", "))
		}
		r.skipped++
	}
}

// splitRow returns the columns of the next row. In a TSV file there is no
// quoting: a tab always parts two columns, and a quotation mark is a character
// like any other.
func (r *Reader) splitRow() ([]string, error) {
	if r.format == CSV {
		return r.splitCSV()
	}
	line, err := r.nextLine()
	if err != nil {
		return nil, err
	}
	if bytes.Count(line, []byte("\t")) >= maxFields {
		return nil, r.errorf("more than %d columns", maxFields)
	}
	return strings.Split(string(line), "\t"), nil
}

// splitCSV takes lines until no quotation is open, since a quoted column may have
// line ends in it, and splits them.
func (r *Reader) splitCSV() ([]string, error) {
	line, err := r.nextLine()
	if err != nil {
		return nil, err
	}
	text := bytes.Clone(line)
	for bytes.Count(text, []byte("\""))%2 != 0 {
		line, err := r.scanLine()
		if errors.Is(err, io.EOF) {
			return nil, r.errorf("not CSV: a quotation is never closed")
		}
		if err != nil {
			return nil, err
		}
		if text = append(append(text, '\n'), line...); len(text) > r.limit {
			return nil, r.tooLong()
		}
	}
	parser := csv.NewReader(bytes.NewReader(text))
	parts, err := parser.Read()
	switch {
	case err != nil:
		var fault *csv.ParseError
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return nil, r.errorf("not CSV: %v", err)
	case len(parts) > maxFields:
		return nil, r.errorf("more than %d columns", maxFields)
	}
	return parts, nil
}
