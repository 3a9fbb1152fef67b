package data

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// squadRows reads a SQuAD document (Rajpurkar et al. 2016): one JSON object
// whose data list articles, with paragraphs, with questions and their answers.
// Each question becomes a row with title, context, question and the list
// answers; its Line is the question's number in the file. Articles are decoded
// one by one, so no more than one lies in memory. Bytes that are no UTF-8 become
// U+FFFD.
type squadRows struct {
	file    string
	decoder *json.Decoder // behind the opening bracket of data, once begun
	begun   bool
	article squadArticle
	para    int
	qa      int
	count   int // questions given so far
}

type squadArticle struct {
	Title      string `json:"title"`
	Paragraphs []struct {
		Context   string `json:"context"`
		Questions []struct {
			Question string `json:"question"`
			Answers  []struct {
				Text string `json:"text"`
			} `json:"answers"`
		} `json:"qas"`
	} `json:"paragraphs"`
}

func newSQuADRows(file string, source io.Reader, limit int) *squadRows {
	if limit <= 0 {
		limit = DefaultTextBytes
	}
	limited := &limitedSource{source: bufio.NewReaderSize(source, 64<<10), left: int64(limit), limit: limit}
	return &squadRows{file: file, decoder: json.NewDecoder(limited)}
}

var errLongDocument = errors.New("the document is too long")

// limitedSource ends with an error, not quietly, where a document is longer than
// allowed.
type limitedSource struct {
	source io.Reader
	left   int64
	limit  int
}

func (s *limitedSource) Read(into []byte) (int, error) {
	if s.left <= 0 {
		return 0, fmt.Errorf("%w: the limit is %d bytes", errLongDocument, s.limit)
	}
	n, err := s.source.Read(into[:min(int64(len(into)), s.left)])
	s.left -= int64(n)
	return n, err
}

// next returns the next question, io.EOF after the last.
func (r *squadRows) next() (Row, error) {
	if !r.begun {
		if err := r.begin(); err != nil {
			return Row{}, r.wrong(err)
		}
		r.begun = true
	}
	for {
		for r.para < len(r.article.Paragraphs) {
			paragraph := &r.article.Paragraphs[r.para]
			if r.qa < len(paragraph.Questions) {
				r.qa++
				r.count++
				return r.row(paragraph.Context, r.qa-1)
			}
			r.para, r.qa = r.para+1, 0
		}
		if !r.decoder.More() {
			return Row{}, r.end()
		}
		r.article, r.para, r.qa = squadArticle{}, 0, 0
		if err := r.decoder.Decode(&r.article); err != nil {
			return Row{}, r.wrong(err)
		}
	}
}

// begin reads on to the articles.
func (r *squadRows) begin() error {
	if err := r.expect('{'); err != nil {
		return err
	}
	for r.decoder.More() {
		key, err := r.decoder.Token()
		if err != nil {
			return err
		}
		if key == "data" {
			return r.expect('[')
		}
		if err := r.skip(); err != nil {
			return err
		}
	}
	return errors.New("the document has no data")
}

// end reads what follows the articles, and returns io.EOF if it is sound.
func (r *squadRows) end() error {
	if err := r.expect(']'); err != nil {
		return r.wrong(err)
	}
	for r.decoder.More() {
		if _, err := r.decoder.Token(); err != nil {
			return r.wrong(err)
		}
		if err := r.skip(); err != nil {
			return r.wrong(err)
		}
	}
	if err := r.expect('}'); err != nil {
		return r.wrong(err)
	}
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		return r.wrong(errors.New("more text after the document"))
	}
	return io.EOF
}

func (r *squadRows) expect(want json.Delim) error {
	token, err := r.decoder.Token()
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	case token != want:
		return fmt.Errorf("%v where %v is expected (a SQuAD document is {\"data\": [articles]})", token, want)
	}
	return nil
}

func (r *squadRows) skip() error {
	var skipped json.RawMessage
	return r.decoder.Decode(&skipped)
}

func (r *squadRows) row(context string, index int) (Row, error) {
	question := &r.article.Paragraphs[r.para].Questions[index]
	row := Row{
		Line:  r.count,
		Names: []string{"title", "context", "question", "answers"},
		Values: []Value{
			{Text: r.article.Title}, {Text: context}, {Text: question.Question}, {Kind: List},
		},
	}
	for _, answer := range question.Answers {
		row.Values[3].List = append(row.Values[3].List, answer.Text)
	}
	return row, nil
}

// wrong places a fault behind the last question that was read.
func (r *squadRows) wrong(err error) error {
	return fmt.Errorf("%s: after question %d: %v: %w", r.file, r.count, err, ErrRow)
}
