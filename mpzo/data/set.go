package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// Set is a dataset ready for a model.
type Set struct {
	File      string
	Examples  []Example
	Loss      Loss
	Text      bool    // windows of text: what counts is perplexity
	Labels    []Label // of a classification, in the order of the candidates
	Truncated int     // examples that lost the beginning of their prompt
}

// Load reads a JSONL or TSV file as examples of a task.
func Load(path string, task *Task, encoder Encoder, options Options) (*Set, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Read(path, file, task, encoder, options)
}

// Read is Load of an open file; name is what messages call it.
func Read(name string, source io.Reader, task *Task, encoder Encoder, options Options) (*Set, error) {
	reader, err := NewReader(name, source, options)
	if err != nil {
		return nil, err
	}
	if err := task.checkColumns(reader); err != nil {
		return nil, err
	}
	set := &Set{File: name, Loss: task.Loss, Labels: task.Labels}
	encoding := encoding{encoder: encoder, limit: options.Tokens}
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		example, err := task.example(&row, &encoding)
		if errors.Is(err, ErrBudget) {
			return nil, fmt.Errorf("%s:%d: %w", name, row.Line, err)
		}
		if err != nil {
			return nil, rowError(name, row.Line, "%v", err)
		}
		set.Examples = append(set.Examples, example)
	}
	if len(set.Examples) == 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrEmpty)
	}
	set.Truncated = encoding.truncated
	return set, nil
}

// example makes an example of a row.
func (t *Task) example(row *Row, encoding *encoding) (Example, error) {
	prompt, err := t.Template.Prompt(row)
	if err != nil {
		return Example{}, err
	}
	answers, gold, err := t.answers(row)
	if err != nil {
		return Example{}, err
	}
	example, err := encoding.example(prompt, answers, gold, t.AnswerField != "")
	example.Line = row.Line
	return example, err
}

// checkColumns finds a missing column of a TSV file at its header, where the
// message can say so, instead of at the first row.
func (t *Task) checkColumns(r *Reader) error {
	if r.format != TSV {
		return nil
	}
	if t.ChoicesField != "" {
		return fmt.Errorf("%s: a TSV file has no lists, so no field %s of choices (use JSON lines): %w", r.file, t.ChoicesField, ErrFormat)
	}
	needed := t.Template.Fields()
	if t.AnswerField != "" {
		needed = append(needed, []string{t.AnswerField})
	} else {
		needed = append(needed, []string{t.LabelField})
	}
	for _, name := range t.ChoiceFields {
		needed = append(needed, []string{name})
	}
	header := Row{Names: r.columns, Values: make([]Value, len(r.columns))}
	for _, names := range needed {
		if _, ok := header.Field(names...); !ok {
			return rowError(r.file, max(r.line, 1), "missing field %s (the columns are %s; name them where the file has no header)",
				wanted(names), shown(strings.Join(r.columns, ", ")))
		}
	}
	return nil
}

// LoadText reads a plain-text file as windows for language modelling: BOS and
// then at most options.Tokens−1 ids of the text, each window going on where the
// one before ended, so that every id of the text is predicted exactly once.
func LoadText(path string, encoder Encoder, options Options) (*Set, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadText(path, file, encoder, options)
}

// ReadText is LoadText of an open file. CRLF counts as one line feed, and a byte
// order mark is dropped. The text is encoded in one piece, as the tokenizer
// would have it.
func ReadText(name string, source io.Reader, encoder Encoder, options Options) (*Set, error) {
	bos := encoder.BOS()
	if options.Tokens < 2 {
		return nil, fmt.Errorf("%s: windows of %d tokens predict nothing, want at least 2: %w", name, options.Tokens, ErrBudget)
	}
	text, err := readText(name, source, options.TextBytes)
	if err != nil {
		return nil, err
	}
	ids := encoder.Encode(text)
	if bos < 0 && len(ids) > 0 { // without BOS the text's first id is only read
		bos, ids = ids[0], ids[1:]
	}
	set := &Set{File: name, Text: true}
	for len(ids) > 0 {
		n := min(len(ids), options.Tokens-1)
		window := append(append(make([]int32, 0, n+1), bos), ids[:n]...)
		if encoder.BOS() < 0 {
			bos = ids[n-1] // the next window reads on from here
		}
		ids = ids[n:]
		set.Examples = append(set.Examples, Example{
			Candidates: [][]int32{window}, Prefix: 1, Line: len(set.Examples) + 1,
		})
	}
	if len(set.Examples) == 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrEmpty)
	}
	return set, nil
}

func readText(name string, source io.Reader, limit int) (string, error) {
	if limit <= 0 {
		limit = DefaultTextBytes
	}
	text, err := io.ReadAll(io.LimitReader(source, int64(limit)+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > limit {
		return "", fmt.Errorf("%s: text is longer than the limit of %d bytes: %w", name, limit, ErrFormat)
	}
	if !utf8.Valid(text) {
		at := invalidAt(text)
		return "", rowError(name, 1+bytes.Count(text[:at], []byte("\n")), "invalid UTF-8 at byte %d of the file", at)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	return string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))), nil
}
