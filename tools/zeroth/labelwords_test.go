package main

import (
	"strings"
	"testing"

	"zeroth/internal/testdata"
	"zeroth/mpzo/data"
	"zeroth/mpzo/tokenizer"
)

// MobiZO's code insists that each label word is one token behind its prompt, for
// Llama 2 and OPT; LM-BFF's that it is one in RoBERTa's vocabulary. So are they
// here, on a row of each layout.
func TestLabelWordsAreSingleTokens(t *testing.T) {
	const row = `{"sentence": "it is so", "premise": "It rained.", "hypothesis": "It was wet.", "passage": "It is so.",
"question": "is it", "text": "Ann saw Eve. She left.", "span1_text": "Ann", "span2_text": "She", "word": "run", "sentence1": "A run.",
"sentence2": "He ran.", "paragraph": "Tom has a dog.", "answer": "Tom", "question_of": "1", "question1": "Why?", "question2": "How?", `
	arc := `{"question": "What melts?", "choices": {"text": ["air", "ice"], "label": ["A", "B"]}, "answerKey": "B"}`
	for _, vocabulary := range []struct {
		folder string
		masked bool
	}{{"llama2", false}, {"opt-roberta", false}, {"opt-roberta", true}} {
		encoder := sharedTokenizer(t, vocabulary.folder)
		tried := 0
		for _, spec := range data.BuiltIns() {
			task, err := spec.Task()
			if err != nil {
				t.Fatal(err)
			}
			if task.Template.Masked() != vocabulary.masked || len(task.Labels) == 0 {
				continue
			}
			value, _, _ := strings.Cut(task.Labels[0].Value, "|")
			if strings.HasSuffix(task.Name, "boolq") {
				value = "true"
			}
			text := strings.ReplaceAll(row, "\n", " ") + `"label": "` + value + `"}`
			if task.Name == "arc" {
				text = arc
			}
			set, err := data.Read("a.jsonl", strings.NewReader(text), &task, encoder, data.Options{Masked: vocabulary.masked})
			if err != nil {
				t.Errorf("%s, %s: %v", vocabulary.folder, task.Name, err)
				continue
			}
			for i, ids := range set.Examples[0].Candidates {
				answer := ids[set.Examples[0].Prefix:]
				if got := strings.TrimSpace(encoder.Decode(answer)); len(answer) != 1 || got != task.Labels[i].Word {
					t.Errorf("%s, %s: %q is %d tokens, %q", vocabulary.folder, task.Name, task.Labels[i].Word, len(answer), got)
				}
			}
			tried++
		}
		if tried < 12 {
			t.Errorf("%s: only %d tasks tried", vocabulary.folder, tried)
		}
	}
}

func sharedTokenizer(t *testing.T, name string) tokenizer.Tokenizer {
	t.Helper()
	tok, _, _, err := tokenizer.Open(testdata.Shared(t, "tokenizers/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
