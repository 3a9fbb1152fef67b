package data

import (
	"strings"
	"testing"
)

func TestExampleKeepsWordsWhole(t *testing.T) {
	encoder := newWordEncoder()
	set := mustRead(t, "a.tsv", "label\ttext\n1\tthe soup was hot .\n", sst2(), encoder, Options{})
	example := set.Examples[0]
	if example.Gold != 1 || example.Line != 2 || set.File != "a.tsv" {
		t.Errorf("example is %+v", example)
	}
	// The space before the answer belongs to the answer's piece, not the prompt's.
	want := []string{"<s>the soup was hot . It was| terrible", "<s>the soup was hot . It was| great"}
	for i, ids := range example.Candidates {
		got := encoder.words(ids[:example.Prefix]) + "|" + encoder.words(ids[example.Prefix:])
		if got != want[i] {
			t.Errorf("candidate %d is %q, want %q", i, got, want[i])
		}
		whole := append([]int32{1}, encoder.Encode("the soup was hot . It was "+[]string{"terrible", "great"}[i])...)
		equal(t, "ids", ids, whole)
	}
}

func TestSharedWordsOfAnswersStayAnswers(t *testing.T) {
	encoder := newWordEncoder()
	spec := Spec{Template: "{text} It was {label}", Labels: Labels{{"0", "not good"}, {"1", "not bad at all"}, {"2", "not"}}}
	set := mustRead(t, "a.tsv", "label\ttext\n1\tsoup\n", spec, encoder, Options{})
	example := set.Examples[0]
	if got := encoder.words(example.Candidates[1][example.Prefix:]); got != " not bad at all" {
		t.Errorf("answer is %q", got)
	}
}

// mergingEncoder joins the last two bytes of a text into one piece, so that a
// prompt's pieces change when an answer follows.
type mergingEncoder struct{ byteEncoder }

func (e mergingEncoder) Encode(text string) []int32 {
	ids := e.byteEncoder.Encode(text)
	if n := len(ids); n >= 2 {
		ids = append(ids[:n-2], 1000+ids[n-2]*256+ids[n-1])
	}
	return ids
}

func TestPrefixIsWhatTokenizationShares(t *testing.T) {
	spec := Spec{Template: "{text}{label}", Labels: Labels{{"0", "x"}, {"1", "y"}}}
	set := mustRead(t, "a.tsv", "label\ttext\n0\tabcd\n", spec, mergingEncoder{}, Options{})
	// Prompt: a b (cd). Candidates: a b c (dx), a b c (dy).
	example := set.Examples[0]
	if example.Prefix != 3 || len(example.Candidates[0]) != 5 {
		t.Errorf("prefix %d, candidate %v", example.Prefix, example.Candidates[0])
	}
}

func TestEveryAnswerHasAToken(t *testing.T) {
	// The first answer is the beginning of the second.
	spec := Spec{Template: "{text}{label}", Labels: Labels{{"0", "a"}, {"1", "aa"}}}
	set := mustRead(t, "a.tsv", "label\ttext\n0\tx\n", spec, byteEncoder{}, Options{})
	example := set.Examples[0]
	if example.Prefix != 2 || len(example.Candidates[0]) != 3 {
		t.Errorf("prefix %d of %v", example.Prefix, example.Candidates)
	}
}

func TestFreeTextEndsItself(t *testing.T) {
	encoder := newWordEncoder()
	spec := Spec{Template: "Q: {q} A: {label}", AnswerField: "a"}
	set := mustRead(t, "a.jsonl", `{"q":"who ?","a":"no one"}`, spec, encoder, Options{})
	example := set.Examples[0]
	got := encoder.words(example.Candidates[0][:example.Prefix]) + "|" + encoder.words(example.Candidates[0][example.Prefix:])
	if got != "<s>Q: who ? A:| no one</s>" || len(example.Candidates) != 1 || example.Gold != 0 {
		t.Errorf("example is %q", got)
	}
	encoder.eos = -1
	set = mustRead(t, "a.jsonl", `{"q":"who ?","a":"no one"}`, spec, encoder, Options{})
	if got := encoder.words(set.Examples[0].Candidates[0]); got != "<s>Q: who ? A: no one" {
		t.Errorf("without an end token: %q", got)
	}
}

func TestTruncationKeepsBeginningTokenAndAnswer(t *testing.T) {
	encoder := newWordEncoder()
	text := "label\ttext\n1\ta b c d e f\n0\ta\n"
	spec := Spec{Template: "{text} so {label}", Labels: Labels{{"0", "bad"}, {"1", "quite good"}}}
	for limit, want := range map[int]string{
		10: "<s>a b c d e f so quite good",
		9:  "<s> b c d e f so quite good",
		4:  "<s> so quite good",
		3:  "<s> quite good",
	} {
		set := mustRead(t, "a.tsv", text, spec, encoder, Options{Tokens: limit})
		if got := encoder.words(set.Examples[0].Candidates[1]); got != want {
			t.Errorf("limit %d: %q, want %q", limit, got, want)
		}
		gold := set.Examples[0].Candidates[1]
		if got := encoder.words(gold[set.Examples[0].Prefix:]); got != " quite good" {
			t.Errorf("limit %d: answer %q", limit, got)
		}
		// The second row, «<s>a so quite good», has 5 ids.
		wantCut := map[int]int{10: 0, 9: 1, 4: 2, 3: 2}[limit]
		if set.Truncated != wantCut {
			t.Errorf("limit %d: %d truncated, want %d", limit, set.Truncated, wantCut)
		}
	}
	_, err := Read("a.tsv", strings.NewReader(text), mustTask(t, spec), encoder, Options{Tokens: 2})
	wantError(t, err, ErrBudget, "a.tsv:2:", "token budget too small for one example")
}

func TestWithoutBeginningToken(t *testing.T) {
	encoder := newWordEncoder()
	encoder.bos = -1
	text := "label\ttext\n1\ta b c\n"
	set := mustRead(t, "a.tsv", text, overall, encoder, Options{Tokens: 4})
	if got := encoder.words(set.Examples[0].Candidates[1]); got != " c Overall : good" {
		t.Errorf("candidate is %q", got)
	}
	// One id must be left to predict from.
	set = mustRead(t, "a.tsv", text, overall, encoder, Options{Tokens: 2})
	if got := set.Examples[0].Prefix; got != 1 {
		t.Errorf("prefix is %d", got)
	}
	_, err := Read("a.tsv", strings.NewReader(text), mustTask(t, overall), encoder, Options{Tokens: 1})
	wantError(t, err, ErrBudget)
}

// deafEncoder gives no ids at all.
type deafEncoder struct{ byteEncoder }

func (deafEncoder) BOS() int32            { return -1 }
func (deafEncoder) Encode(string) []int32 { return nil }

func TestPromptWithoutTokens(t *testing.T) {
	_, err := Read("a.tsv", strings.NewReader("label\ttext\n1\tx\n"), mustTask(t, overall), deafEncoder{}, Options{})
	wantError(t, err, ErrRow, "a.tsv:2:", "no tokens")
}

func TestTextWindows(t *testing.T) {
	read := func(text string, tokens int, encoder Encoder) *Set {
		set, err := ReadText("a.txt", strings.NewReader(text), encoder, Options{Tokens: tokens})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	set := read("\ufeffab\r\ncd", 3, byteEncoder{})
	var windows []string
	for _, example := range set.Examples {
		if len(example.Candidates) != 1 || example.Prefix != 1 || example.Gold != 0 {
			t.Errorf("window is %+v", example)
		}
		if example.Candidates[0][0] != 1 {
			t.Errorf("window begins with %d", example.Candidates[0][0])
		}
		var text []byte
		for _, id := range example.Candidates[0][1:] {
			text = append(text, byte(id-3))
		}
		windows = append(windows, string(text))
	}
	equal(t, "windows", windows, []string{"ab", "\nc", "d"})
	if !set.Text {
		t.Error("set is not text")
	}

	plain := newWordEncoder()
	plain.bos = -1
	set = read("a b c d e", 3, plain)
	equal(t, "window 0", set.Examples[0].Candidates[0], plain.Encode("a b c"))
	equal(t, "window 1", set.Examples[1].Candidates[0], plain.Encode(" c d e"))
}

func TestTextRefuses(t *testing.T) {
	read := func(text string, options Options) error {
		_, err := ReadText("a.txt", strings.NewReader(text), byteEncoder{}, options)
		return err
	}
	wantError(t, read("abc", Options{Tokens: 1}), ErrBudget, "a.txt")
	wantError(t, read("abc", Options{}), ErrBudget)
	wantError(t, read("", Options{Tokens: 8}), ErrEmpty, "a.txt")
	wantError(t, read("a\nb\xffc", Options{Tokens: 8}), ErrRow, "a.txt:2:", "byte 3")
	wantError(t, read("abcd", Options{Tokens: 8, TextBytes: 3}), ErrFormat, "3 bytes")
}
