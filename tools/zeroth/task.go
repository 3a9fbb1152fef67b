package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"unicode/utf8"

	"zeroth/mpzo/data"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

// taskOptions say what the rows of a data file mean. They are kept in a run's
// run.json, so that it can be resumed without them.
type taskOptions struct {
	Task       string `json:"task,omitempty"`
	Template   string `json:"template,omitempty"`
	Labels     string `json:"labels,omitempty"`
	LabelField string `json:"label_field,omitempty"`
	Columns    string `json:"columns,omitempty"`
	Loss       string `json:"loss,omitempty"`
	MaxTokens  int    `json:"max_tokens,omitempty"`
	EvalLimit  int    `json:"eval_limit,omitempty"`
	Shots      int    `json:"k_shot,omitempty"`
	DataSeed   uint64 `json:"data_seed,omitempty"`
}

func taskFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "task", Usage: "built-in task (sst2, rte, boolq, squad, mezo-…, mlm-…: docs/TASKS.md), text for language modelling, or `NAME`.json, a file that describes a task"},
		&cli.StringFlag{Name: "template", Usage: "prompt `TEXT` of a task of your own: \"{text} Overall : {label}\", for a masked model \"{text} It was {mask}.\""},
		&cli.StringFlag{Name: "labels", Usage: "label `WORDS` of a task of your own: \"0=bad,1=good\""},
		&cli.StringFlag{Name: "label-field", Usage: "`FIELD` that holds the label", DefaultText: "label"},
		&cli.StringFlag{Name: "columns", Usage: "`NAMES` of the columns of a .tsv or .csv file without a header line, separated by commas"},
		&cli.StringFlag{Name: "loss", Usage: "`WHAT` the loss is taken over: tokens (all the vocabulary competes) or choices (the candidates do)", DefaultText: "the task's"},
		&cli.IntFlag{Name: "max-tokens", Usage: "longest example in `TOKENS`; longer prompts lose their beginning, around a mask their longest field's end", DefaultText: "512, for text 128, at most the program's context"},
		&cli.IntFlag{Name: "eval-limit", Usage: "evaluate on `N` examples of a file at most, always the same", DefaultText: "all"},
	}
}

// shotFlags pick the examples of a run.
func shotFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "k-shot", Usage: "train on `K` examples of each label of --data; K more are held out, unless --held-out is given", DefaultText: "all"},
		&cli.Uint64Flag{Name: "data-seed", Usage: "`SEED` of --k-shot; it picks the examples that it picks in MeZO", Value: 42},
	}
}

func readTaskOptions(c *cli.Context) taskOptions {
	o := taskOptions{
		Task: c.String("task"), Template: c.String("template"), Labels: c.String("labels"),
		LabelField: c.String("label-field"), Columns: c.String("columns"), Loss: c.String("loss"),
		MaxTokens: c.Int("max-tokens"), EvalLimit: c.Int("eval-limit"), Shots: c.Int("k-shot"),
	}
	if o.Shots > 0 {
		o.DataSeed = c.Uint64("data-seed")
	}
	return o
}

// checkSample refuses what picks no examples, and text that no file can keep.
func (o taskOptions) checkSample() error {
	switch {
	case !utf8.ValidString(o.Template + o.Labels + o.LabelField + o.Columns):
		return usagef("--template, --labels, --label-field or --columns is not UTF-8: is the terminal set to another encoding?")
	case o.EvalLimit < 0:
		return usagef("--eval-limit %d: must be at least 1, or 0 for all", o.EvalLimit)
	case o.Shots < 0:
		return usagef("--k-shot %d: must be at least 1, or 0 for all", o.Shots)
	case o.DataSeed > math.MaxUint32:
		return usagef("--data-seed %d: must be 0 to %d, as in NumPy", o.DataSeed, uint32(math.MaxUint32))
	case o.isText() && (o.EvalLimit > 0 || o.Shots > 0):
		return usagef("--task text takes no --k-shot or --eval-limit: text has no examples to pick")
	}
	return nil
}

// isText reports whether the task is language modelling on plain text.
func (o taskOptions) isText() bool { return o.Task == "text" }

// isFile reports whether the task is described by a file.
func (o taskOptions) isFile() bool { return strings.HasSuffix(o.Task, ".json") }

// checkText refuses what language modelling has no use for.
func (o taskOptions) checkText(path string) error {
	if o.Template != "" || o.Labels != "" || o.LabelField != "" || o.Columns != "" {
		return usagef("--task text takes no --template, --labels, --label-field or --columns")
	}
	if format, err := data.FormatOf(path); err == nil && format != data.PlainText {
		return withHint(usagef("--task text reads plain text, and %s holds rows", path),
			"for rows give a task, or write their text into a .txt file")
	}
	return nil
}

// task makes the task of the options.
func (o taskOptions) task() (data.Task, error) {
	custom := o.Template != "" || o.Labels != "" || o.LabelField != ""
	switch {
	case custom && o.Task != "":
		return data.Task{}, usagef("--task and --template, --labels or --label-field exclude each other")
	case custom:
		if o.Template == "" || o.Labels == "" {
			return data.Task{}, usagef("a task of your own needs both --template and --labels")
		}
		labels, err := data.ParseLabels(o.Labels)
		if err != nil {
			return data.Task{}, usageError{err}
		}
		task, err := data.Spec{Name: "custom", Template: o.Template, Labels: labels, LabelField: o.LabelField}.Task()
		if err != nil {
			return data.Task{}, usageError{err}
		}
		return task, nil
	case o.Task == "":
		return data.Task{}, usagef("no task given: --task sst2, --task FILE.json, --task text, or --template with --labels")
	case o.isFile():
		return data.ReadTask(o.Task)
	}
	task, err := data.BuiltIn(o.Task)
	if err != nil {
		return data.Task{}, withHint(usageError{err}, "or text for language modelling, or a FILE.json that describes a task")
	}
	return task, nil
}

// Longest examples where --max-tokens does not say: rows rarely need more, and
// text is cut into windows of this size.
const (
	defaultRowTokens  = 512
	defaultTextTokens = 128
)

// errMaskedText is returned where a masked language model is to go on with text.
var errMaskedText = errors.New("--task text is for models that go on with a text: a masked language model sees both sides of a token")

// source is what reads data files for a program.
type source struct {
	encoder data.Encoder
	options data.Options
	task    data.Task // unless the options say text
	text    bool
}

// source checks the options against a program.
func (o taskOptions) source(p *program.Program) (*source, error) {
	if err := o.checkSample(); err != nil {
		return nil, err
	}
	encoder, err := programTokenizer(p)
	if err != nil {
		return nil, err
	}
	context, err := metaInt(p, "context")
	if err != nil {
		return nil, err
	}
	limit := o.MaxTokens
	switch {
	case limit < 0 || limit > context:
		return nil, usagef("--max-tokens %d: must be 1 to %d, the program's context", limit, context)
	case limit == 0 && o.isText():
		limit = min(context, defaultTextTokens)
	case limit == 0:
		limit = min(context, defaultRowTokens)
	}
	s := &source{encoder: encoder, options: data.Options{Tokens: limit, Masked: isMasked(p)}, text: o.isText()}
	if o.Columns != "" {
		s.options.Columns = strings.Split(o.Columns, ",")
	}
	switch {
	case s.text && s.options.Masked:
		return nil, errMaskedText
	case s.text:
		s.options.Format = data.PlainText
	default:
		s.task, err = o.task()
	}
	return s, err
}

// load reads a file to train on.
func (o taskOptions) load(path string, p *program.Program) (*data.Set, error) {
	s, err := o.source(p)
	if err != nil {
		return nil, err
	}
	if s.text {
		if err := o.checkText(path); err != nil {
			return nil, err
		}
		return data.LoadText(path, s.encoder, s.options)
	}
	return data.Load(path, &s.task, s.encoder, s.options)
}

// loadEvaluation reads a file to evaluate on, no more of it than is wanted.
func (o taskOptions) loadEvaluation(path string, p *program.Program) (*data.Set, error) {
	s, err := o.source(p)
	if err != nil {
		return nil, err
	}
	if s.text {
		return o.load(path, p)
	}
	s.options.Limit = o.EvalLimit
	return data.Load(path, &s.task, s.encoder, s.options)
}

// loadShots reads a few examples of each label, to train on and to hold out.
func (o taskOptions) loadShots(path string, p *program.Program) (trainSet, heldOut *data.Set, err error) {
	s, err := o.source(p)
	if err != nil {
		return nil, nil, err
	}
	trainSet, heldOut, err = data.LoadShots(path, &s.task, s.encoder, s.options, o.Shots, uint32(o.DataSeed))
	if errors.Is(err, data.ErrTask) && len(s.task.Labels) == 0 {
		err = usageError{err}
	}
	return trainSet, heldOut, err
}

// choiceScore is how the candidates of a set are scored: as the program was
// exported or, where no loss over candidates binds it to that, as the task says.
func choiceScore(p *program.Program, set *data.Set, loss data.Loss, stderr io.Writer) data.Normalise {
	mean, _ := p.Lookup("mean_choices")
	switch {
	case mean == "true", set.ByMean && loss == data.TokenLoss:
		return data.ByMean
	case set.ByMean && set.Uneven():
		fmt.Fprintf(stderr, "zeroth: notice: the task compares candidates by the mean over their tokens, the program by the sum: zeroth export --mean-choices makes one that does as the task says\n")
	}
	return data.BySum
}

// noticeChanges says what of a file is not in the examples as it was, if any.
func noticeChanges(stderr io.Writer, set *data.Set) {
	if set == nil {
		return
	}
	if set.Truncated > 0 {
		fmt.Fprintf(stderr, "zeroth: notice: %s: %d of %d examples lost part of their prompt to fit --max-tokens\n",
			set.File, set.Truncated, len(set.Examples))
	}
	if set.Skipped > 0 {
		fmt.Fprintf(stderr, "zeroth: notice: %s: %d rows left out, which the task has no use for\n", set.File, set.Skipped)
	}
}

// isMasked reports whether a program is a masked language model.
func isMasked(p *program.Program) bool {
	causal, _ := p.Lookup("causal")
	return causal == "false"
}

// lossOf is the loss to train on: the one that was asked for, or the task's.
func (o taskOptions) lossOf(set *data.Set) (data.Loss, error) {
	if o.Loss == "" {
		return set.Loss, nil
	}
	loss, err := data.ParseLoss(o.Loss)
	if err != nil {
		return 0, usageError{err}
	}
	if loss == data.ChoiceLoss && (set.Text || len(set.Examples[0].Candidates) < 2) {
		return 0, usagef("--loss choices: the task has no candidates to choose among")
	}
	return loss, nil
}

// fileHash is the SHA-256 of a file, in hexadecimal.
func fileHash(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
