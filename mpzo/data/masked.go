package data

import (
	"errors"
	"fmt"
	"strings"
)

// MaskEncoder is what the Encoder of a masked language model knows besides.
type MaskEncoder interface {
	Encoder
	// Prefix and Suffix return the ids around a text: <s> and </s>.
	Prefix() []int32
	Suffix() []int32
	// SpecialID returns the id of a token that no text makes, or -1.
	SpecialID(content string) int32
}

// maskToken is what RoBERTa calls the place to fill.
const maskToken = "<mask>"

// masked encodes a text with a mask in it and the words that may stand there.
//
// The pieces of the template are encoded each by itself, as in LM-BFF and
// MeZO's RoBERTa code, a space between two with the one that follows; a space in
// front of the mask belongs to the word and is left out. The text is wrapped in
// what the model wants around it. Of a text that is too long the longest field
// loses its end, again and again.
func (e *encoding) masked(before, after []segment, words []string, gold int) (Example, error) {
	encoder, ok := e.encoder.(MaskEncoder)
	if !ok || encoder.SpecialID(maskToken) < 0 {
		return Example{}, fmt.Errorf("the vocabulary has no %s: %w", maskToken, ErrTask)
	}
	out := Example{Candidates: make([][]int32, len(words)), Gold: gold}
	for i, word := range words {
		ids := encoder.Encode(maskWord(word))
		if len(ids) != 1 {
			return out, fmt.Errorf("label word %s is %d tokens where a mask holds one: %w", shown(word), len(ids), ErrTask)
		}
		out.Candidates[i] = ids
	}
	if err := differ(out.Candidates, words); err != nil {
		return out, err
	}
	left, right := e.pieces(before, true), e.pieces(after, false)
	around := len(encoder.Prefix()) + 1 + len(encoder.Suffix())
	if err := e.shorten(around, before, after, left, right); err != nil {
		return out, err
	}
	out.Masked = append(out.Masked, encoder.Prefix()...)
	for _, ids := range left {
		out.Masked = append(out.Masked, ids...)
	}
	out.Mask = len(out.Masked)
	out.Masked = append(out.Masked, encoder.SpecialID(maskToken))
	for _, ids := range right {
		out.Masked = append(out.Masked, ids...)
	}
	out.Masked = append(out.Masked, encoder.Suffix()...)
	return out, nil
}

// maskWord puts a space before a word, unless it begins with what is written
// without one.
func maskWord(word string) string {
	word = strings.TrimSpace(word)
	if strings.ContainsAny(word[:1], "<[.,") {
		return word
	}
	return " " + word
}

// pieces encodes segments one by one.
func (e *encoding) pieces(segments []segment, mask bool) [][]int32 {
	out := make([][]int32, len(segments))
	space := ""
	for i, s := range segments {
		text := space + s.text
		space = ""
		if last := i == len(segments)-1; !last || mask {
			if short, cut := strings.CutSuffix(text, " "); cut && !s.field {
				text, space = short, " "
			}
		}
		out[i] = e.encoder.Encode(text)
	}
	return out
}

// shorten cuts the fields' pieces until all fit beside the ids around them.
func (e *encoding) shorten(around int, before, after []segment, left, right [][]int32) error {
	total := around
	var fields []*[]int32
	collect := func(segments []segment, pieces [][]int32) {
		for i := range segments {
			total += len(pieces[i])
			if segments[i].field {
				fields = append(fields, &pieces[i])
			}
		}
	}
	collect(before, left)
	collect(after, right)
	if e.limit <= 0 || total <= e.limit {
		return nil
	}
	e.truncated++
	for ; total > e.limit; total-- {
		var longest *[]int32
		for _, field := range fields {
			if longest == nil || len(*field) > len(*longest) {
				longest = field
			}
		}
		if longest == nil || len(*longest) == 0 {
			return fmt.Errorf("the template alone has %d tokens, %d are allowed: %w", total, e.limit, ErrBudget)
		}
		*longest = (*longest)[:len(*longest)-1]
	}
	return nil
}

// errCausal and errMasked say that model and template do not fit.
var (
	errCausal = errors.New("the template has a {mask}, and the model goes on with a text instead of filling one in (write {label} at the end)")
	errMasked = errors.New("the template has a {label}, and a masked language model fills in a {mask}")
)
