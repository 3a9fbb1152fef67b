package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// The oracle of the splitters is their expression itself, matched by the slow
// backtracking that defines it: every choice in order, greedy ones longest first.

// node is a part of an expression: exactly one of its fields is set.
type node struct {
	choices  [][]node // alternatives
	one      func(r rune) bool
	notAhead func(r rune) bool // (?!…)
	repeat   *node
	min, max int
	hold     bool // possessive
}

type expression struct {
	text     string
	foldCase bool
}

func (e *expression) take(prefix string) bool {
	rest, found := strings.CutPrefix(e.text, prefix)
	e.text = rest
	return found
}

func (e *expression) choices() [][]node {
	out := [][]node{nil}
	for e.text != "" && e.text[0] != ')' {
		if e.take("|") {
			out = append(out, nil)
			continue
		}
		last := len(out) - 1
		out[last] = append(out[last], e.quantified())
	}
	return out
}

func (e *expression) quantified() node {
	n := e.atom()
	q := node{repeat: &n, max: 1 << 30}
	switch {
	case e.take("{1,3}"):
		q.min, q.max = 1, 3
	case e.take("?"):
		q.max = 1
	case e.take("*"):
	case e.take("+"):
		q.min = 1
	default:
		return n
	}
	q.hold = e.take("+")
	return q
}

func (e *expression) atom() node {
	switch {
	case e.take("(?!"):
		n := e.atom()
		e.text = e.text[1:]
		return node{notAhead: n.one}
	case e.take("(?i:"):
		e.foldCase = true
		n := node{choices: e.choices()}
		e.foldCase = false
		e.text = e.text[1:]
		return n
	case e.take("["):
		negated := e.take("^")
		var members []func(rune) bool
		for !e.take("]") {
			members = append(members, e.character())
		}
		return node{one: func(r rune) bool {
			return negated != slices.ContainsFunc(members, func(m func(rune) bool) bool { return m(r) })
		}}
	}
	return node{one: e.character()}
}

func (e *expression) character() func(rune) bool {
	for name, is := range map[string]func(rune) bool{
		`\p{L}`: unicode.IsLetter, `\p{N}`: unicode.IsNumber, `\s`: unicode.IsSpace,
		`\S`: func(r rune) bool { return !unicode.IsSpace(r) },
		`\r`: func(r rune) bool { return r == '\r' }, `\n`: func(r rune) bool { return r == '\n' },
	} {
		if e.take(name) {
			return is
		}
	}
	want, size := utf8.DecodeRuneInString(e.text)
	e.text = e.text[size:]
	if !e.foldCase {
		return func(r rune) bool { return r == want }
	}
	return func(r rune) bool {
		for next := unicode.SimpleFold(want); ; next = unicode.SimpleFold(next) {
			if r == next {
				return true
			}
			if next == want {
				return false
			}
		}
	}
}

// match matches a sequence at text, then calls rest with what follows.
func match(sequence []node, text string, rest func(text string) bool) bool {
	if len(sequence) == 0 {
		return rest(text)
	}
	n, then := sequence[0], func(text string) bool { return match(sequence[1:], text, rest) }
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case n.one != nil:
		return size > 0 && n.one(r) && then(text[size:])
	case n.notAhead != nil:
		return (size == 0 || !n.notAhead(r)) && then(text)
	case n.repeat != nil:
		var more func(count int, text string) bool
		held := text
		more = func(count int, text string) bool {
			if count < n.max && match([]node{*n.repeat}, text, func(text string) bool { return more(count+1, text) }) {
				return true
			}
			held = text
			return count >= n.min && (n.hold || then(text))
		}
		return more(0, text) && (!n.hold || then(held))
	}
	for _, choice := range n.choices {
		if match(choice, text, then) {
			return true
		}
	}
	return false
}

// literally cuts text by an expression.
func literally(choices [][]node, text string) []string {
	var words []string
	for text != "" {
		size := 0
		match([]node{{choices: choices}}, text, func(rest string) bool {
			size = len(text) - len(rest)
			return true
		})
		if size == 0 {
			return append(words, "no match: "+text)
		}
		words, text = append(words, text[:size]), text[size:]
	}
	return words
}

// splitTexts are the parts that the expressions treat differently.
var splitTexts = []string{
	"a", "Q", "é", "漢", "ǅ", "s", "S", "t", "re", "LL", "ve", "ſ", "'", "'s", "'LL", "'Ve", "'ſ", "1", "23", "456", "٣", "½", "Ⅷ",
	" ", " ", "  ", "\n", "\r", "\r\n", "\t", "\v", "\u0085", "\u00a0", "\u2003", "\u3000", "\u200b", ".", "!?", "_", "-", "$", "🦙", "\u0301", "\u200d",
	"\x00", "\xff", "\xc3", "\xe2\x96", "\ufffd",
}

var splitPatterns = map[string][]string{
	splitGPT2:   {patternGPT2},
	splitLlama3: {patternLlama3, patternCL100K, patternCL100KShort},
	splitQwen2:  {patternQwen2},
	splitDigits: {`\p{N}+|[^\p{N}]+`},
	splitDigit:  {`\p{N}|[^\p{N}]+`},
}

// splitOracle is a splitter with its expressions.
type splitOracle struct {
	name     string
	steps    splitting
	patterns []string
	choices  [][][]node
}

func splitOracles() []splitOracle {
	var out []splitOracle
	for name, patterns := range splitPatterns {
		steps, _ := newSplitting([]string{name})
		oracle := splitOracle{name: name, steps: steps, patterns: patterns}
		for _, pattern := range patterns {
			oracle.choices = append(oracle.choices, (&expression{text: pattern}).choices())
		}
		out = append(out, oracle)
	}
	return out
}

func checkSplit(t *testing.T, oracles []splitOracle, text string) {
	t.Helper()
	for _, oracle := range oracles {
		var got []string
		oracle.steps.each(text, func(word string) { got = append(got, word) })
		for i, choices := range oracle.choices {
			if want := literally(choices, text); !slices.Equal(got, want) {
				t.Fatalf("%s: %q\n got %q\nwant %q by %s", oracle.name, text, got, want, oracle.patterns[i])
			}
		}
	}
}

func TestSplittersEqualTheirExpressions(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	oracles := splitOracles()
	for _, first := range splitTexts {
		for _, second := range splitTexts {
			checkSplit(t, oracles, first+second)
		}
	}
	for range 2000 {
		checkSplit(t, oracles, randomText(random, splitTexts))
	}
}

// Expressions of the other library, in case the oracle and the code share an
// error: cut by hand.
func TestSplitExamples(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{splitGPT2, "Hello  world's 123\n\n x", []string{"Hello", " ", " world", "'s", " 123", "\n\n", " x"}},
		{splitGPT2, "we'Ll  ", []string{"we", "'", "Ll", "  "}},
		{splitLlama3, "we'Ll 12345\t\tgo!!\n\n  x ", []string{"we", "'Ll", " ", "123", "45", "\t", "\tgo", "!!\n\n", " ", " x", " "}},
		{splitQwen2, " 12 a\n \n b", []string{" ", "1", "2", " a", "\n \n", " b"}},
		{splitDigits, "a12b", []string{"a", "12", "b"}},
		{splitDigit, "a12b", []string{"a", "1", "2", "b"}},
	} {
		steps, _ := newSplitting([]string{c.name})
		var got []string
		steps.each(c.text, func(word string) { got = append(got, word) })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q\n got %q\nwant %q", c.name, c.text, got, c.want)
		}
	}
}

func FuzzPreTokenise(f *testing.F) {
	for _, text := range splitTexts {
		f.Add(text + " it's 12 " + text)
	}
	oracles := splitOracles()
	f.Fuzz(func(t *testing.T, text string) {
		checkSplit(t, oracles, text[:min(len(text), 200)])
	})
}
