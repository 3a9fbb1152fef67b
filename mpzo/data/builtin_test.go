package data

import (
	"fmt"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// maskEncoder is a wordEncoder of a masked language model.
type maskEncoder struct{ *wordEncoder }

func newMaskEncoder() maskEncoder { return maskEncoder{newWordEncoder()} }

func (maskEncoder) Prefix() []int32 { return []int32{1} }
func (maskEncoder) Suffix() []int32 { return []int32{2} }
func (maskEncoder) SpecialID(content string) int32 {
	if content == "<mask>" {
		return 0
	}
	return -1
}

func (e maskEncoder) text(ids []int32) string {
	var out strings.Builder
	for _, id := range ids {
		if id == 0 {
			out.WriteString("<mask>")
			continue
		}
		out.WriteString(e.words([]int32{id}))
	}
	return out.String()
}

// shownExample spells an example: its prompt, its answers, the right one marked.
func shownExample(set *Set, i int, encoder Encoder) string {
	example := set.Examples[i]
	var out strings.Builder
	spell := func(ids []int32) string { return strings.ReplaceAll(answer(ids, 0), "\xff", "</s>") }
	if example.Masked != nil {
		spell = encoder.(maskEncoder).text
		out.WriteString(spell(example.Masked))
	} else {
		out.WriteString(spell(example.Candidates[0][1:example.Prefix]))
	}
	for c, ids := range example.Candidates {
		mark := "|"
		if c == example.Gold {
			mark = "|*"
		}
		out.WriteString(mark + spell(ids[example.Prefix:]))
	}
	return out.String()
}

// Rows as the datasets' files have them, and the prompts that the published code
// makes of them, written out by hand.
var prompts = []struct{ task, file, text, want string }{
	{"sst2", "a.tsv", "sentence\tlabel\na fine film . \t1\n", "a fine film . It was |terrible|*great"},
	{
		"rte", "a.jsonl", `{"premise": "It rained.", "hypothesis": "It was wet.", "label": "not_entailment", "idx": 4}`,
		"It rained.\nDoes this mean that \"It was wet.\" is true? Yes or No? |Yes|*No",
	},
	{
		"rte", "a.tsv", "index\tsentence1\tsentence2\tlabel\n0\tIt rained.\tIt was wet.\tentailment\n",
		"It rained.\nDoes this mean that \"It was wet.\" is true? Yes or No? |*Yes|No",
	},
	{
		"mezo-rte", "a.jsonl", `{"premise": "It rained.", "hypothesis": "It was wet.", "label": 0}`,
		"It rained.\nDoes this mean that \"It was wet.\" is true? Yes or No?\n|*Yes|No",
	},
	{"boolq", "a.jsonl", `{"question": "is it so", "passage": "So -- It is.", "idx": 1, "label": true}`, "So -- It is. Is it so? |*Yes|No"},
	{"mezo-boolq", "a.jsonl", `{"question": "is it so?", "passage": "It is.", "answer": false}`, "It is. Is it so?\n|Yes|*No"},
	{
		"wsc", "a.jsonl", `{"text": "Ann saw Eve. She left.", "target": {"span2_index": 3, "span1_index": 0, "span1_text": "Ann", "span2_text": "She"}, "idx": 0, "label": false}`,
		"Ann saw Eve. She left.\nIn the previous sentence, does the pronoun \"she\" refer to? Ann? Yes or No? |*No|Yes",
	},
	{
		"mezo-wsc", "a.jsonl", `{"text": "Ann saw Eve. She left.", "span1_text": "Ann", "span2_text": "She", "label": 1}`,
		"Ann saw Eve. She left.\nIn the previous sentence, does the pronoun \"she\" refer to Ann? Yes or No?\n|No|*Yes",
	},
	{
		"wic", "a.jsonl", `{"word": "run", "sentence1": "A run.", "sentence2": "He ran.", "label": true, "start1": 0}`,
		"Does the word \"run\" have the same meaning in these two sentences? Yes, No?\nA run.\nHe ran.\n |No|*Yes",
	},
	{
		"mezo-wic", "a.jsonl", `{"word": "run", "sentence1": "A run.", "sentence2": "He ran.", "label": false}`,
		"Does the word \"run\" have the same meaning in these two sentences? Yes, No?\nA run.\nHe ran.\n|*No|Yes",
	},
	{
		"multirc", "a.jsonl", `{"idx": 7, "passage": {"text": "Tom has a dog.", "questions": [{"question": "Who?", "answers": [{"text": "Tom", "idx": 0, "label": 1}], "idx": 0}]}}`,
		"Tom has a dog.\nQuestion: Who?\nI found this answer \"Tom\". Is that correct? Yes or No? |No|*Yes",
	},
	{
		"mezo-multirc", "a.jsonl", `{"paragraph": "Tom has a dog.", "question": "Who?", "answer": "Bob", "label": 0, "question_of": "7.0"}`,
		"Tom has a dog.\nQuestion: Who?\nI found this answer \"Bob\". Is that correct? Yes or No?\n|*No|Yes",
	},
	{
		"copa", "a.jsonl", `{"premise": "The man slept.", "choice1": "I sang.", "choice2": "He was tired.", "question": "cause", "label": 1}`,
		"The man slept because |I sang.|*he was tired.",
	},
	{
		"mezo-copa", "a.jsonl", `{"premise": "The man slept.", "choice1": "He dreamt.", "choice2": "Bob Bell woke.", "question": "effect", "label": 0}`,
		"The man slept so |*he dreamt.|bob Bell woke.",
	},
	{
		"cb", "a.jsonl", `{"premise": "She knew it.", "hypothesis": "it was so", "label": "neutral", "idx": 0}`,
		"Suppose She knew it. Can we infer that \"it was so\"? Yes, No, or Maybe?\n|Yes|No|*Maybe",
	},
	{
		"squad", "a.json", `{"version": "1.1", "data": [{"title": "The_Moon", "paragraphs": [{"context": "It is grey.", "qas": [{"id": "x", "question": " What colour?", "answers": [{"answer_start": 6, "text": "grey"}, {"answer_start": 6, "text": "gray"}]}]}]}]}`,
		"Title: The_Moon\nContext: It is grey.\nQuestion: What colour?\nAnswer: |*grey\n",
	},
	{
		"squad", "a.jsonl", `{"title": "T", "context": "C", "question": "Q?", "answers": {"text": ["A", "B"], "answer_start": [0, 0]}}`,
		"Title: T\nContext: C\nQuestion: Q?\nAnswer: |*A\n",
	},
	{
		"winogrande", "a.jsonl", `{"qID": "3Q", "sentence": "Sarah beat Maria so _ always won.", "option1": "Sarah", "option2": "Maria", "answer": "2"}`,
		"Sarah beat Maria so |Sarah always won.|*Maria always won.",
	},
	{
		"mrpc", "a.tsv", "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t70\t71\tHe \"won\" .\tHe has won .\n",
		"Do the following two sentences mean the same thing? Yes or No?\nSentence 1: He \"won\" .\nSentence 2: He has won .\n |No|*Yes",
	},
	{
		"qqp", "a.tsv", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n5\t1\n0\t1\t2\tWhy?\tHow so?\t0\n",
		"Are these two questions asking the same thing? Yes or No?\nQuestion 1: Why?\nQuestion 2: How so?\n |*No|Yes",
	},
	{
		"qnli", "a.tsv", "index\tquestion\tsentence\tlabel\n0\tWho won?\tBob won.\tentailment\n",
		"Does this sentence answer the question? Yes or No?\nQuestion: Who won?\nSentence: Bob won.\n |*No|Yes",
	},
	{
		"wnli", "a.tsv", "index\tsentence1\tsentence2\tlabel\n0\tIt fell.\tThe cup fell.\t1\n",
		"Given the first sentence, is the second sentence true? Yes or No?\nSentence 1: It fell.\nSentence 2: The cup fell.\n |No|*Yes",
	},
	{
		"arc", "a.jsonl", `{"id": "M", "question": {"stem": "What melts?", "choices": [{"text": "ice", "label": "A"}, {"text": "air", "label": "B"}]}, "answerKey": "A"}
			{"id": "N", "question": {"stem": "What is 1?", "choices": [{"text": "a", "label": "1"}]}, "answerKey": "1"}`,
		"Pick the most correct option to answer the following question.\nWhat melts?\nOptions:\n- A: ice\n- B: air\nAnwser: |*A|B|C|D",
	},
	{
		"arc", "a.jsonl", `{"question": "What melts?", "choices": {"text": ["air", "ice"], "label": ["A", "B"]}, "answerKey": "B"}`,
		"Pick the most correct option to answer the following question.\nWhat melts?\nOptions:\n- A: air\n- B: ice\nAnwser: |A|*B|C|D",
	},
	{"mlm-sst2", "a.tsv", "sentence\tlabel\na film .\t1\n", "<s>a film . It was<mask>.</s>| terrible|* great"},
	{"mlm-trec", "a.jsonl", `{"text": "Who won ?", "label": 3}`, "<s><mask>: Who won ?</s>| Description| Entity| Expression|* Human| Location| Number"},
	{"mlm-rte", "a.tsv", "index\tsentence1\tsentence2\tlabel\n0\tIt rained.\tIt was wet.\tnot_entailment\n", "<s>It rained?<mask>, it was wet.</s>|* No| Yes"},
	{
		"mlm-mnli", "a.tsv", "index\tsentence1\tsentence2\tlabel1\tgold_label\n0\tIt rained.\tIt was wet.\tneutral\tcontradiction\n",
		"<s>It rained?<mask>, it was wet.</s>|* No| Yes| Maybe",
	},
	{"mlm-mrpc", "a.jsonl", `{"sentence1": "He won .", "sentence2": "He has won .", "label": 1}`, "<s>He won .<mask>, he has won .</s>| No|* Yes"},
}

func TestPrompts(t *testing.T) {
	for _, c := range prompts {
		task := builtIn(t, c.task)
		var encoder Encoder = byteEncoder{}
		if task.Template.Masked() {
			encoder = newMaskEncoder()
		}
		set, err := Read(c.file, strings.NewReader(c.text), task, encoder, Options{Masked: task.Template.Masked()})
		if err != nil {
			t.Errorf("%s: %v", c.task, err)
			continue
		}
		if got := shownExample(set, 0, encoder); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.task, got, c.want)
		}
		if skipped := strings.Count(c.text, "5\t1\n") + strings.Count(c.text, `"id": "N"`); set.Skipped != skipped || len(set.Examples) != 1 {
			t.Errorf("%s: %d rows skipped, want %d; %d examples", c.task, set.Skipped, skipped, len(set.Examples))
		}
	}
}

// Each built-in task, and with it each of its fields, reads a row above.
func TestPromptsCoverTheTasks(t *testing.T) {
	same := map[string]string{ // tasks whose template and labels others have
		"mezo-sst2": "sst2", "mezo-cb": "cb", "mezo-squad": "squad", "mlm-mr": "mlm-sst2", "mlm-cr": "mlm-sst2", "mlm-mpqa": "mlm-sst2",
		"mlm-sst5": "mlm-sst2", "mlm-subj": "mlm-sst2", "mlm-cola": "mlm-sst2", "mlm-qqp": "mlm-mrpc", "mlm-qnli": "mlm-rte", "mlm-snli": "mlm-mnli",
	}
	covered := map[string]bool{}
	for _, c := range prompts {
		covered[c.task] = true
	}
	for _, spec := range BuiltIns() {
		if !covered[spec.Name] && !covered[same[spec.Name]] {
			t.Errorf("no row of %s is tried", spec.Name)
		}
	}
}

// The published files, read whole. Sums of labels are what the files hold.
func TestPublishedFiles(t *testing.T) {
	cases := []struct {
		file   string
		tasks  []string
		golds  []int // examples of each candidate
		groups int
	}{
		{"rte/val.jsonl", []string{"rte", "mezo-rte", "mlm-rte"}, []int{146, 131}, 1},
		{"boolq/val.jsonl", []string{"boolq", "mezo-boolq"}, []int{2033, 1237}, 1},
		{"boolq/train32.jsonl", []string{"boolq"}, []int{18, 14}, 1},
		{"wsc/val.jsonl", []string{"wsc", "mezo-wsc"}, []int{66, 38}, 1},
		{"wic/val.jsonl", []string{"wic", "mezo-wic"}, []int{319, 319}, 1},
		{"multirc/val.jsonl", []string{"multirc", "mezo-multirc"}, []int{2773, 2075}, 953},
		{"copa/val.jsonl", []string{"copa", "mezo-copa"}, []int{55, 45}, 1},
		{"cb/val.jsonl", []string{"cb", "mezo-cb"}, []int{23, 28, 5}, 1},
		{"cb/train.jsonl", []string{"cb"}, []int{115, 119, 16}, 1},
		{"squad/xquad.en.json", []string{"squad", "mezo-squad"}, []int{1190}, 1},
		{"sst2/glue_dev.tsv", []string{"sst2", "mezo-sst2", "mlm-sst2"}, []int{428, 444}, 1},
	}
	for _, c := range cases {
		for _, name := range c.tasks {
			task := builtIn(t, name)
			var encoder Encoder = byteEncoder{}
			options := Options{Masked: task.Template.Masked()}
			if options.Masked {
				encoder = newMaskEncoder()
			}
			set, err := Load(testdata.Shared(t, "datasets/"+c.file), task, encoder, options)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			golds := make([]int, len(c.golds))
			groups := map[string]bool{}
			for _, example := range set.Examples {
				if name != "mlm-rte" {
					golds[example.Gold]++
				} else {
					golds[1-example.Gold]++ // its labels are listed the other way round
				}
				groups[example.Group] = true
			}
			if fmt.Sprint(golds) != fmt.Sprint(c.golds) || len(groups) != c.groups || set.Skipped != 0 {
				t.Errorf("%s of %s: labels %v, %d groups, %d skipped; want %v, %d, 0", name, c.file, golds, len(groups), set.Skipped, c.golds, c.groups)
			}
		}
	}
}

// MeZO compares candidates by the mean over their tokens, and MobiZO those of
// several tokens.
func TestScoredByTheMean(t *testing.T) {
	for _, name := range []string{"copa", "winogrande", "mezo-copa", "mezo-sst2", "mezo-cb", "mezo-boolq"} {
		if !builtIn(t, name).ByMean {
			t.Errorf("%s is not", name)
		}
	}
	read := func(labels Labels) *Set {
		return mustRead(t, "a.tsv", "label\ttext\n1\tx\n", Spec{Template: "{text} {label}", Labels: labels, Score: "mean"}, byteEncoder{}, Options{})
	}
	if set := read(Labels{{"0", "bad"}, {"1", "good"}}); !set.ByMean || !set.Uneven() {
		t.Error("bad and good are not told apart by length")
	}
	if read(Labels{{"0", "well"}, {"1", "good"}}).Uneven() {
		t.Error("well and good are uneven")
	}
}
