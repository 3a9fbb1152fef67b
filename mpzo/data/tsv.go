package data

import (
	"errors"
	"io"
	"strings"
)

// openColumns takes the names of the columns from the given list or, where that
// is empty, from the file's first line.
func (r *Reader) openColumns(names []string) error {
	if len(names) == 0 {
		header, err := r.nextLine()
		if errors.Is(err, io.EOF) {
			r.line = 1
			return r.errorf("no header line")
		}
		if err != nil {
			return err
		}
		if strings.Count(string(header), "\t") >= maxFields {
			return r.errorf("more than %d columns", maxFields)
		}
		names = strings.Split(string(header), "\t")
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

// splitColumns fills the row from one line. There is no quoting: a tab always
// parts two columns, and a quotation mark is a character like any other.
func (r *Reader) splitColumns(row *Row, line []byte) error {
	text := string(line)
	if have := strings.Count(text, "\t") + 1; have != len(r.columns) {
		return r.errorf("%d columns where %d are expected (%s)", have, len(r.columns), strings.Join(r.columns, ", "))
	}
	row.Names = r.columns
	row.Values = make([]Value, 0, len(r.columns))
	for part := range strings.SplitSeq(text, "\t") {
		row.Values = append(row.Values, Value{Kind: Text, Text: part})
	}
	return nil
}
