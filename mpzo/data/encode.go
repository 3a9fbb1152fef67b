package data

import (
	"errors"
	"fmt"
	"slices"
)

// Encoder is all this package knows of a tokenizer.
type Encoder interface {
	// Encode returns the ids of text, without any token before or after it.
	Encode(text string) []int32
	// BOS and EOS return the ids that begin and end a text, or a negative
	// number where the vocabulary has none.
	BOS() int32
	EOS() int32
}

// Decoder is what an Encoder must also be where answers are generated.
type Decoder interface {
	Decode(ids []int32) string
}

// Example is one prompt with its candidate answers, as token ids.
//
// Every candidate is begun by BOS, where the vocabulary has one, and holds
// exactly the ids that the tokenizer gives for prompt and answer written as one
// string: word pieces that straddle the border stay whole. Candidates share
// their first Prefix ids, and each has at least one id more.
//
// An example of a masked language model has the text in Masked, and each
// candidate is the one id that may stand in place of the mask; Prefix is 0.
type Example struct {
	Candidates [][]int32
	Prefix     int      // at least 1
	Gold       int      // index of the right candidate
	Line       int      // of the file; for text, the window's number from 1
	Masked     []int32  // the text with a mask in it; nil: candidates are texts
	Mask       int      // where in Masked the mask is
	Group      string   // of ExactMatch
	References []string // right answers, where the answer is to be generated
}

// encoding makes examples for one encoder under one token bound.
type encoding struct {
	encoder   Encoder
	limit     int // ids of a candidate; 0 is none
	room      int // ids that must fit behind the prefix, to be generated
	truncated int // examples that lost part of their prompt
}

// example encodes prompt and answers, with rest behind each answer. ended says
// that the answers end the text.
func (e *encoding) example(prompt string, answers []string, rest string, gold int, ended bool) (Example, error) {
	out := Example{Candidates: make([][]int32, len(answers)), Gold: gold}
	begun := e.begin(prompt)
	out.Prefix = len(begun)
	for i, answer := range answers {
		ids := e.begin(prompt + answer + rest)
		if eos := e.encoder.EOS(); ended && eos >= 0 {
			ids = append(ids, eos)
		}
		out.Candidates[i] = ids
		out.Prefix = min(out.Prefix, shared(begun, ids), len(ids)-1)
	}
	if out.Prefix < 1 {
		return out, errors.New("the prompt has no tokens")
	}
	if err := differ(out.Candidates, answers); err != nil {
		return out, err
	}
	return out, e.truncate(&out)
}

// differ wants no two candidates to be the same.
func differ(candidates [][]int32, answers []string) error {
	for i, candidate := range candidates {
		for j, earlier := range candidates[:i] {
			if slices.Equal(candidate, earlier) {
				return fmt.Errorf("answers %d and %d are the same, %s", j, i, shown(answers[i]))
			}
		}
	}
	return nil
}

// begin returns BOS, if any, and the ids of text, in a slice of their own.
func (e *encoding) begin(text string) []int32 {
	ids := e.encoder.Encode(text)
	out := make([]int32, 0, len(ids)+2) // one to spare for EOS
	if bos := e.encoder.BOS(); bos >= 0 {
		out = append(out, bos)
	}
	return append(out, ids...)
}

// truncate drops ids from the left of the prompt, behind BOS, until the longest
// candidate fits.
func (e *encoding) truncate(example *Example) error {
	longest := example.Prefix + e.room
	for _, ids := range example.Candidates {
		longest = max(longest, len(ids))
	}
	if e.limit <= 0 || longest <= e.limit {
		return nil
	}
	// What stays of the prompt is BOS or, without one, its last id.
	over := longest - e.limit
	if over > example.Prefix-1 {
		return fmt.Errorf("an answer needs %d tokens, %d are allowed: %w", longest-example.Prefix+1, e.limit, ErrBudget)
	}
	kept := 0
	if e.encoder.BOS() >= 0 {
		kept = 1
	}
	for i, ids := range example.Candidates {
		example.Candidates[i] = append(ids[:kept], ids[kept+over:]...)
	}
	example.Prefix -= over
	e.truncated++
	return nil
}

// shared returns the length of the common beginning of two lists of ids.
func shared(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
