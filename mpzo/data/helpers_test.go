package data

import (
	"errors"
	"strings"
	"testing"
)

// byteEncoder gives each byte b the id b+3.
type byteEncoder struct{}

func (byteEncoder) BOS() int32 { return 1 }
func (byteEncoder) EOS() int32 { return 2 }
func (byteEncoder) Encode(text string) []int32 {
	ids := make([]int32, len(text))
	for i := range len(text) {
		ids[i] = int32(text[i]) + 3
	}
	return ids
}

func (byteEncoder) Decode(ids []int32) string { return answer(ids, 0) }

// wordEncoder gives each word, with the one space before it, an id of its own,
// as SentencePiece does to frequent words: a space alone at the end is a piece,
// and it disappears when a word follows it.
type wordEncoder struct {
	ids      map[string]int32
	bos, eos int32
}

func newWordEncoder() *wordEncoder { return &wordEncoder{ids: map[string]int32{}, bos: 1, eos: 2} }

func (e *wordEncoder) BOS() int32 { return e.bos }
func (e *wordEncoder) EOS() int32 { return e.eos }
func (e *wordEncoder) Encode(text string) []int32 {
	var ids []int32
	for len(text) > 0 {
		end := 1 + strings.IndexByte(text[1:], ' ')
		if end == 0 {
			end = len(text)
		}
		ids = append(ids, e.id(text[:end]))
		text = text[end:]
	}
	return ids
}

func (e *wordEncoder) id(word string) int32 {
	if _, ok := e.ids[word]; !ok {
		e.ids[word] = int32(len(e.ids)) + 3
	}
	return e.ids[word]
}

func (e *wordEncoder) words(ids []int32) string {
	names := map[int32]string{1: "<s>", 2: "</s>"}
	for word, id := range e.ids {
		names[id] = word
	}
	var out strings.Builder
	for _, id := range ids {
		out.WriteString(names[id])
	}
	return out.String()
}

func mustTask(t testing.TB, spec Spec) *Task {
	t.Helper()
	task, err := spec.Task()
	if err != nil {
		t.Fatal(err)
	}
	return &task
}

func mustRead(t testing.TB, name, text string, spec Spec, encoder Encoder, options Options) *Set {
	t.Helper()
	set, err := Read(name, strings.NewReader(text), mustTask(t, spec), encoder, options)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// wantError checks an error's kind and that its message has all the parts.
func wantError(t *testing.T, err, kind error, parts ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error is %v, want one that is %v", err, kind)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("error %q has more than one line", err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: got %v, want %v", what, got, want)
		}
	}
}

// sst2 is the built-in task of that name.
func sst2() Spec { return BuiltIns()[0] }
