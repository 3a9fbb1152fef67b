package data

import (
	"fmt"
	"slices"
	"strings"
)

// The built-in tasks say what published code says, word for word, slips
// included: a figure can only be compared with one that was measured the same
// way. Fields are named as in the datasets' own files, with the names of their
// usual conversions beside them; values of labels as well.
//
//   - Plain names are the prompts of MobiZO (Gao et al. 2025): the loss is over
//     the whole vocabulary on the answer's tokens.
//   - "mezo-" are those of MeZO for autoregressive models (Malladi et al. 2023):
//     the loss is over the candidates, but for COPA and SQuAD, and candidates are
//     compared by the mean over their tokens, as MobiZO's of several tokens are.
//   - "mlm-" are those of MeZO for RoBERTa, which are LM-BFF's (Gao et al. 2021).
//
// cb and squad are not in MobiZO's experiments; their plain names are MeZO's.

var (
	noYes = Labels{{"0|false", "No"}, {"1|true", "Yes"}}

	// entailment is the first label of RTE in SuperGLUE and GLUE.
	yesNo = Labels{{"0|entailment", "Yes"}, {"1|not_entailment", "No"}}

	// swapped is what MobiZO's code makes of QNLI, whose label 0 is entailment.
	swapped = Labels{{"0|entailment", "No"}, {"1|not_entailment", "Yes"}}

	sentiment = Labels{{"0", "terrible"}, {"1", "great"}}

	accuracyAndF1 = []string{"accuracy", "f1"}
)

// Fields that go by several names.
const (
	sst2Text      = "{sentence|content|text}"
	duplicate     = "label|is_duplicate|Quality"
	gold          = "label|gold_label"
	pronounText   = "{text:raw}\nIn the previous sentence, does the pronoun \"{target.span2_text|span2_text:raw:lower}\" refer to"
	span1         = "{target.span1_text|span1_text:raw}"
	copaTemplate  = "{premise:no_stop} {question:effect=so,cause=because} {label}"
	boolQQuestion = "{passage:raw} {question:raw:question_mark:upper_first}"
	multiRC       = "{paragraph:raw}\nQuestion: {question:raw}\nI found this answer \"{answer:raw}\". Is that correct? Yes or No?"
	wic           = "Does the word \"{word:raw}\" have the same meaning in these two sentences? Yes, No?\n{sentence1:raw}\n{sentence2:raw}\n"
	rte           = "{premise|sentence1:raw}\nDoes this mean that \"{hypothesis|sentence2:raw}\" is true? Yes or No?"
)

var copaChoices = []string{"{choice1:raw:uncapitalise}", "{choice2:raw:uncapitalise}"}

// cb is MeZO's CommitmentBank.
func cb(name, loss string) Spec {
	return Spec{
		Name: name, Loss: loss, Score: meanScore, Metrics: []string{"accuracy", "macro_f1"},
		Template: "Suppose {premise:raw} Can we infer that \"{hypothesis:raw}\"? Yes, No, or Maybe?\n{label}",
		Labels:   Labels{{"0|entailment", "Yes"}, {"1|contradiction", "No"}, {"2|neutral", "Maybe"}},
	}
}

// squad is MeZO's SQuAD: the line's end is part of the answer, and ends it.
func squad(name string) Spec {
	return Spec{
		Name: name, Metrics: []string{"f1", "exact_match"}, AnswerField: "answers.text|answers",
		Template: "Title: {title:raw}\nContext: {context:raw}\nQuestion: {question}\nAnswer: {label}\n",
	}
}

// mobizo lists MobiZO's tasks.
func mobizo() []Spec {
	perQuestion := []string{"accuracy", "f1", "exact_match"}
	return []Spec{
		{Name: "sst2", Template: sst2Text + " It was {label}", Labels: sentiment},
		{Name: "rte", Template: rte + " {label}", Labels: yesNo},
		{Name: "boolq", Template: boolQQuestion + " {label}", LabelField: "label|answer", Labels: Labels{{"1|true", "Yes"}, {"0|false", "No"}}},
		{Name: "wsc", Template: pronounText + "? " + span1 + "? Yes or No? {label}", Labels: noYes},
		{Name: "wic", Template: wic + " {label}", Labels: noYes},
		{Name: "multirc", Template: multiRC + " {label}", Labels: noYes, Layout: "multirc", GroupField: "question_of", Metrics: perQuestion},
		{Name: "copa", Template: copaTemplate, Choices: copaChoices, Score: meanScore},
		cb("cb", ""),
		squad("squad"),
		{
			Name: "winogrande", Template: "{sentence:raw:before_gap}{label}{sentence:raw:after_gap}",
			Choices: []string{"{option1:raw}", "{option2:raw}"}, LabelField: "answer", FirstChoice: 1, Score: meanScore,
		},
		{
			Name: "mrpc", LabelField: duplicate, Labels: noYes, Metrics: accuracyAndF1,
			Template: "Do the following two sentences mean the same thing? Yes or No?\nSentence 1: {sentence1|#1 String:raw}\nSentence 2: {sentence2|#2 String:raw}\n {label}",
		},
		{
			Name: "qqp", LabelField: duplicate, Labels: noYes, Metrics: accuracyAndF1, skipBroken: true,
			Template: "Are these two questions asking the same thing? Yes or No?\nQuestion 1: {question1:raw}\nQuestion 2: {question2:raw}\n {label}",
		},
		{
			Name: "qnli", Labels: swapped,
			Template: "Does this sentence answer the question? Yes or No?\nQuestion: {question:raw}\nSentence: {sentence:raw}\n {label}",
		},
		{
			Name: "wnli", Labels: noYes,
			Template: "Given the first sentence, is the second sentence true? Yes or No?\nSentence 1: {sentence1:raw}\nSentence 2: {sentence2:raw}\n {label}",
		},
		{
			Name: "arc", LabelField: "answerKey", Labels: Labels{{"A", "A"}, {"B", "B"}, {"C", "C"}, {"D", "D"}}, Layout: "arc",
			Template: "Pick the most correct option to answer the following question.\n{question}\nOptions:\n{options}\nAnwser: {label}",
		},
	}
}

// mezo lists MeZO's tasks for autoregressive models.
func mezo() []Spec {
	const choices = "choices"
	specs := []Spec{
		{Name: "mezo-sst2", Template: sst2Text + " It was {label}", Labels: sentiment, Loss: choices},
		{Name: "mezo-rte", Template: rte + "\n{label}", Labels: yesNo, Loss: choices},
		{
			Name: "mezo-boolq", Template: boolQQuestion + "\n{label}", LabelField: "label|answer",
			Labels: Labels{{"1|true", "Yes"}, {"0|false", "No"}}, Loss: choices,
		},
		{Name: "mezo-wsc", Template: pronounText + " " + span1 + "? Yes or No?\n{label}", Labels: noYes, Loss: choices},
		{Name: "mezo-wic", Template: wic + "{label}", Labels: noYes, Loss: choices},
		{
			Name: "mezo-multirc", Template: multiRC + "\n{label}", Labels: noYes, Layout: "multirc", GroupField: "question_of",
			Metrics: []string{"accuracy", "f1", "exact_match"}, Loss: choices,
		},
		{Name: "mezo-copa", Template: copaTemplate, Choices: copaChoices},
		cb("mezo-cb", choices),
		squad("mezo-squad"),
	}
	for i := range specs {
		specs[i].Score = meanScore
	}
	return specs
}

// masked lists MeZO's tasks for RoBERTa.
func masked() []Spec {
	inference := Labels{{"2|contradiction", "No"}, {"0|entailment", "Yes"}, {"1|neutral", "Maybe"}}
	entailment := Labels{{"1|not_entailment", "No"}, {"0|entailment", "Yes"}}
	pairs := "{sentence1:cut}?{mask}, {sentence2:lower_first}"
	specs := []Spec{
		{Name: "mlm-sst2", Template: sst2Text + " It was {mask}.", Labels: sentiment},
		{
			Name: "mlm-sst5", Template: sst2Text + " It was {mask}.",
			Labels: Labels{{"0", "terrible"}, {"1", "bad"}, {"2", "okay"}, {"3", "good"}, {"4", "great"}},
		},
		{Name: "mlm-mr", Template: sst2Text + " It was {mask}.", Labels: sentiment},
		{Name: "mlm-cr", Template: sst2Text + " It was {mask}.", Labels: sentiment},
		{Name: "mlm-mpqa", Template: sst2Text + " It was {mask}.", Labels: sentiment},
		{Name: "mlm-subj", Template: sst2Text + " This is {mask}.", Labels: Labels{{"0", "subjective"}, {"1", "objective"}}},
		{Name: "mlm-cola", Template: sst2Text + " This is {mask}.", Labels: Labels{{"0", "incorrect"}, {"1", "correct"}}},
		{
			Name: "mlm-trec", Template: "{mask}: " + sst2Text,
			Labels: Labels{{"0", "Description"}, {"1", "Entity"}, {"2", "Expression"}, {"3", "Human"}, {"4", "Location"}, {"5", "Number"}},
		},
		{
			Name: "mlm-mrpc", Template: "{sentence1|#1 String}{mask}, {sentence2|#2 String:lower_first}",
			LabelField: duplicate, Labels: noYes, Metrics: accuracyAndF1,
		},
		{
			Name: "mlm-qqp", Template: "{question1}{mask}, {question2:lower_first}",
			LabelField: duplicate, Labels: noYes, Metrics: accuracyAndF1, skipBroken: true,
		},
		{Name: "mlm-qnli", Template: "{question:cut}?{mask}, {sentence:lower_first}", Labels: entailment},
		{Name: "mlm-mnli", Template: pairs, LabelField: gold, Labels: inference},
		{Name: "mlm-snli", Template: pairs, LabelField: gold, Labels: inference},
		{Name: "mlm-rte", Template: "{premise|sentence1:cut}?{mask}, {hypothesis|sentence2:lower_first}", Labels: entailment},
	}
	for i := range specs {
		specs[i].Loss = "choices"
	}
	return specs
}

// BuiltIns lists the tasks that need no description.
func BuiltIns() []Spec { return slices.Concat(mobizo(), mezo(), masked()) }

// BuiltIn returns the task of that name among those that need no description.
func BuiltIn(name string) (Task, error) {
	var names []string
	for _, spec := range BuiltIns() {
		if spec.Name == name {
			return spec.Task()
		}
		names = append(names, spec.Name)
	}
	return Task{}, fmt.Errorf("no task is named %s (there are %s): %w", shown(name), strings.Join(names, ", "), ErrTask)
}
