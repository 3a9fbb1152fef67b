package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Format is the layout of a data file.
type Format uint8

// The formats. ByName takes the format from the file's extension.
const (
	ByName    Format = iota
	JSONLines        // .jsonl, .ndjson: one JSON object a line
	TSV              // .tsv: columns between tabs, no quoting
	PlainText        // .txt, .text: text for language modelling
	SQuAD            // .json: a document as SQuAD publishes it
	CSV              // .csv: columns between commas, quoted as in RFC 4180
)

// Limits that hold where Options leaves them at zero.
const (
	DefaultLineBytes = 1 << 20   // one line of a JSONL or TSV file, one row of a CSV file
	DefaultRows      = 10 << 20  // rows of one file
	DefaultTextBytes = 256 << 20 // a plain-text file, or a SQuAD document
	maxFields        = 1024      // fields of one row, and items of one list
)

// Options says how to read a file. The zero value is right for most.
type Options struct {
	Format Format
	// Columns names the columns of a TSV or CSV file that has no header line. Where
	// it is empty, the file's first line is the header.
	Columns []string
	// LineBytes, Rows and TextBytes bound a line, the number of rows and the
	// size of a plain-text file; zero means the defaults above.
	LineBytes, Rows, TextBytes int
	// Limit, if above zero, makes a set of so many of a file's rows at most, the
	// same for the same file. Text has no such limit.
	Limit int
	// Masked says that the model fills in masks, and does not go on with a text.
	Masked bool
	// Tokens bounds the ids of one candidate, or of one window of text, BOS
	// and answer included; zero means no bound for rows. Longer prompts lose
	// their beginning. Text needs a bound of at least two.
	Tokens int
}

// FormatOf tells a file's format from its name.
func FormatOf(path string) (Format, error) {
	switch extension := strings.ToLower(filepath.Ext(path)); extension {
	case ".jsonl", ".ndjson":
		return JSONLines, nil
	case ".tsv":
		return TSV, nil
	case ".txt", ".text":
		return PlainText, nil
	case ".json":
		return SQuAD, nil
	case ".csv":
		return CSV, nil
	default:
		return ByName, fmt.Errorf("%s: extension %q is none of .jsonl, .ndjson, .tsv, .csv, .json (SQuAD), .txt: %w", path, extension, ErrFormat)
	}
}

// Reader reads the rows of one JSONL, TSV, CSV or SQuAD file. Blank lines are skipped,
// a line may end in CRLF, and a byte order mark at the start is ignored.
type Reader struct {
	file    string
	format  Format
	scanner *bufio.Scanner
	limit   int // bytes of a line
	rows    int // rows still allowed
	line    int
	columns []string // of a TSV or CSV file
	squad   *squadRows

	skipBroken bool // leave out rows of columns with another number of columns
	skipped    int  // rows left out
	failed     error
}

// NewReader reads rows from source; file is its name for messages. A header
// is read, and checked, at once.
func NewReader(file string, source io.Reader, options Options) (*Reader, error) {
	format := options.Format
	if format == ByName {
		var err error
		if format, err = FormatOf(file); err != nil {
			return nil, err
		}
	}
	r := &Reader{file: file, format: format, limit: options.LineBytes, rows: options.Rows}
	if r.limit <= 0 {
		r.limit = DefaultLineBytes
	}
	if r.rows <= 0 {
		r.rows = DefaultRows
	}
	// Two bytes more than the limit, so that a line's ending never counts.
	r.scanner = bufio.NewScanner(source)
	r.scanner.Buffer(nil, r.limit+2)
	switch format {
	case JSONLines:
		if len(options.Columns) > 0 {
			return nil, fmt.Errorf("%s: column names are for TSV and CSV files, JSON lines name their own fields: %w", file, ErrFormat)
		}
		return r, nil
	case TSV, CSV:
		return r, r.openColumns(options.Columns)
	case SQuAD:
		r.squad = newSQuADRows(file, source, options.TextBytes)
		return r, nil
	default:
		return nil, fmt.Errorf("%s: plain text has no rows (only JSON lines, TSV, CSV and SQuAD have): %w", file, ErrFormat)
	}
}

// Next returns the next row, io.EOF after the last, or an error that wraps
// ErrRow and says what is wrong on which line. After an error it stays.
func (r *Reader) Next() (Row, error) {
	if r.failed != nil {
		return Row{}, r.failed
	}
	row, err := r.next()
	if err != nil {
		r.failed = err
		return Row{}, err
	}
	return row, nil
}

func (r *Reader) next() (Row, error) {
	if r.squad != nil {
		row, err := r.squad.next()
		if err == nil && r.squad.count > r.rows {
			err = r.squad.wrong(errors.New("more rows than the limit allows"))
		}
		return row, err
	}
	row := Row{}
	var err error
	if r.columns != nil {
		err = r.nextColumns(&row)
	} else {
		var text []byte
		if text, err = r.nextLine(); err == nil {
			err = r.decodeObject(&row, text)
		}
	}
	if err != nil {
		return Row{}, err
	}
	if r.rows == 0 {
		return Row{}, r.errorf("more rows than the limit allows")
	}
	r.rows--
	row.Line = r.line
	return row, nil
}

// nextLine returns the next line that is not blank, without its ending. The
// bytes are valid UTF-8 and hold until the next call.
func (r *Reader) nextLine() ([]byte, error) {
	blank := " \t\r"
	if r.format == TSV {
		blank = " \r" // tabs alone are columns, all of them empty
	}
	for {
		text, err := r.scanLine()
		if err != nil || len(bytes.Trim(text, blank)) > 0 {
			return text, err
		}
	}
}

// scanLine is nextLine, blank or not.
func (r *Reader) scanLine() ([]byte, error) {
	if r.scanner.Scan() {
		text := r.scanner.Bytes()
		r.line++
		if r.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) > r.limit {
			return nil, r.tooLong()
		}
		if !utf8.Valid(text) {
			return nil, r.errorf("invalid UTF-8 at byte %d of the line", invalidAt(text))
		}
		return text, nil
	}
	if err := r.scanner.Err(); err != nil {
		r.line++
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, r.tooLong()
		}
		return nil, fmt.Errorf("%s:%d: %w", r.file, r.line, err)
	}
	return nil, io.EOF
}

func (r *Reader) tooLong() error {
	return r.errorf("line is longer than the limit of %d bytes", r.limit)
}

func (r *Reader) errorf(format string, args ...any) error {
	return rowError(r.file, r.line, format, args...)
}

// invalidAt returns the index of the first byte that is not UTF-8.
func invalidAt(text []byte) int {
	for i := 0; i < len(text); {
		char, size := utf8.DecodeRune(text[i:])
		if char == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}
