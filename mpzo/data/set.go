package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
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
	ByMean    bool    // the task compares candidates by the mean over their tokens
	Metrics   []Metric
	Truncated int // examples that lost part of their prompt
	Skipped   int // rows that the task has no use for
	// NewTokens is how many tokens may be generated for an answer; 0: answers
	// are chosen or, without candidates, only their loss is measured.
	NewTokens int
	end       int32 // the token that ends a generated answer, or -1
	decoder   Decoder
}

// Deciding returns the metric that says which of two evaluations is better. A
// set without metrics has no score in it, and the loss decides.
func (s *Set) Deciding() Metric {
	if len(s.Metrics) == 0 {
		return Accuracy
	}
	return s.Metrics[0]
}

// Uneven reports whether candidates of one example have different numbers of
// tokens, so that their sums and their means may compare differently.
func (s *Set) Uneven() bool {
	return slices.ContainsFunc(s.Examples, func(e Example) bool {
		return slices.ContainsFunc(e.Candidates, func(ids []int32) bool { return len(ids) != len(e.Candidates[0]) })
	})
}

// Answer returns the text of generated ids and whether it is at its end: an
// answer is one line, or less where the text ends.
func (s *Set) Answer(ids []int32) (text string, ended bool) {
	if n := len(ids); n > 0 && ids[n-1] == s.end {
		ids, ended = ids[:n-1], true
	}
	text, _, line := strings.Cut(s.decoder.Decode(ids), "\n")
	return strings.TrimSpace(text), ended || line
}

// Load reads a JSONL, TSV, CSV or SQuAD file as examples of a task.
func Load(path string, task *Task, encoder Encoder, options Options) (*Set, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Read(path, file, task, encoder, options)
}

// Read is Load of an open file; name is what messages call it.
func Read(name string, source io.Reader, task *Task, encoder Encoder, options Options) (*Set, error) {
	loader, err := newLoader(name, task, encoder, options)
	if err != nil {
		return nil, err
	}
	if options.Limit > 0 {
		return loader.sample(source)
	}
	if err := loader.each(source, loader.add); err != nil {
		return nil, err
	}
	return loader.set, loader.finish()
}

// loader makes a set of a file's rows.
type loader struct {
	task     *Task
	options  Options
	encoding encoding
	set      *Set
}

func newLoader(name string, task *Task, encoder Encoder, options Options) (*loader, error) {
	if task.Template.Masked() != options.Masked {
		err := errCausal
		if options.Masked {
			err = errMasked
		}
		return nil, fmt.Errorf("%w: %w", err, ErrTask)
	}
	l := &loader{
		task: task, options: options, encoding: encoding{encoder: encoder, limit: options.Tokens},
		set: &Set{File: name, Loss: task.Loss, Labels: task.Labels, ByMean: task.ByMean, Metrics: task.Metrics},
	}
	if task.Generates() {
		decoder, ok := encoder.(Decoder)
		if !ok {
			return nil, fmt.Errorf("answers are to be generated, and the vocabulary cannot spell them: %w", ErrTask)
		}
		l.set.decoder, l.set.end = decoder, encoder.EOS()
		l.set.NewTokens, l.encoding.room = task.NewTokens, task.NewTokens
	}
	return l, nil
}

// each calls use with the rows of a file, as the task has them.
func (l *loader) each(source io.Reader, use func(*Row) error) error {
	reader, err := NewReader(l.set.File, source, l.options)
	if err != nil {
		return err
	}
	reader.skipBroken = l.task.skipBroken
	if err := l.task.checkColumns(reader); err != nil {
		return err
	}
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			l.set.Skipped += reader.skipped
			return nil
		}
		if err != nil {
			return err
		}
		if err := l.expand(&row, use); err != nil {
			return l.place(&row, err)
		}
	}
}

// expand brings a row into the task's layout.
func (l *loader) expand(row *Row, use func(*Row) error) error {
	if l.task.layout == nil {
		return use(row)
	}
	emitted := false
	err := l.task.layout(row, func(row *Row) error {
		emitted = true
		return use(row)
	})
	if err == nil && !emitted {
		l.set.Skipped++
	}
	return err
}

// place says where in the file an error arose, once.
func (l *loader) place(row *Row, err error) error {
	if errors.Is(err, ErrBudget) || errors.Is(err, ErrTask) {
		return fmt.Errorf("%s:%d: %w", l.set.File, row.Line, err)
	}
	return rowError(l.set.File, row.Line, "%v", err)
}

// add makes an example of a row.
func (l *loader) add(row *Row) error {
	example, err := l.task.example(row, &l.encoding)
	if err == nil {
		l.set.Examples = append(l.set.Examples, example)
	}
	return err
}

func (l *loader) finish() error {
	if len(l.set.Examples) == 0 {
		return fmt.Errorf("%s: %w", l.set.File, ErrEmpty)
	}
	l.set.Truncated = l.encoding.truncated
	return nil
}

// example makes an example of a row.
func (t *Task) example(row *Row, encoding *encoding) (Example, error) {
	before, err := fill(row, t.Template.before)
	if err != nil {
		return Example{}, err
	}
	after, err := fill(row, t.Template.after)
	if err != nil {
		return Example{}, err
	}
	answers, gold, err := t.answers(row)
	if err != nil {
		return Example{}, err
	}
	var example Example
	if t.Template.Masked() {
		example, err = encoding.masked(before, after, answers, gold)
	} else {
		ended := t.AnswerField != "" && len(after) == 0
		example, err = encoding.example(concat(before), answers, concat(after), gold, ended)
	}
	if err != nil {
		return Example{}, err
	}
	example.Line = row.Line
	if t.Generates() {
		example.References, err = t.references(row)
	}
	if t.GroupField != "" && err == nil {
		example.Group, err = textOf(row, []string{t.GroupField})
	}
	return example, err
}

// checkColumns finds a missing column of a TSV or CSV file at its header, where the
// message can say so, instead of at the first row.
func (t *Task) checkColumns(r *Reader) error {
	if r.columns == nil || t.layout != nil {
		return nil
	}
	if t.ChoicesField != "" {
		return fmt.Errorf("%s: a file of columns has no lists, so no field %s of choices (use JSON lines): %w", r.file, t.ChoicesField, ErrFormat)
	}
	needed := t.Template.Fields()
	if t.AnswerField != "" {
		needed = append(needed, alternatives(t.AnswerField))
	} else {
		needed = append(needed, alternatives(t.LabelField))
	}
	for _, choice := range t.Choices {
		needed = append(needed, fieldsOf(choice)...)
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
	file, err := open(path)
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
