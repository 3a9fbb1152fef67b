package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"zeroth/mpzo/train"

	"github.com/urfave/cli/v2"
)

type evalOptions struct {
	Program, Data, Adapter string
	Batch                  int
	Task                   taskOptions
	Engine                 engine
	JSON                   bool
}

func evalCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "`FILE` to evaluate on"},
		&cli.StringFlag{Name: "adapter", Usage: "evaluate with the PEFT adapter in `FOLDER`"},
		&cli.IntFlag{Name: "batch", Usage: "`EXAMPLES` that go forward together", Value: 16},
		&cli.BoolFlag{Name: "json", Usage: "print the result as JSON", DisableDefaultText: true},
	}
	return &cli.Command{
		Name: "eval", Usage: "measure loss, accuracy or perplexity on a data file", UsageText: "zeroth eval PROGRAM --data FILE --task TASK [flags]",
		Flags: append(append(flags, taskFlags()...), engineFlags()...),
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "PROGRAM")
			if err != nil {
				return err
			}
			o := evalOptions{
				Program: path, Data: c.String("data"), Adapter: c.String("adapter"), Batch: c.Int("batch"),
				Task: readTaskOptions(c), JSON: c.Bool("json"),
			}
			if o.Engine, err = readEngine(c); err != nil {
				return err
			}
			return runEval(c.Context, o, c.App.Writer, c.App.ErrWriter)
		},
	}
}

func runEval(ctx context.Context, o evalOptions, stdout, stderr io.Writer) error {
	switch {
	case o.Data == "":
		return usagef("--data is missing: the file to evaluate on")
	case o.Batch < 1 || o.Batch > maxBatch:
		return usagef("--batch %d: must be 1 to %d", o.Batch, maxBatch)
	}
	file, err := openProgram(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	set, err := o.Task.loadEvaluation(o.Data, file.Program)
	if err != nil {
		return err
	}
	noticeChanges(stderr, set)
	loss, err := o.Task.lossOf(set)
	if err != nil {
		return err
	}
	bounds, err := train.EvaluationBounds(set, loss, o.Batch)
	if err != nil {
		return err
	}
	m, err := loadModel(file.Program, o.Adapter, o.Engine, train.Bounds(bounds, 1, 1))
	if err != nil {
		return err
	}
	defer m.Close()
	if err := generateWith(m, o.Engine, o.Batch, set); err != nil {
		return err
	}
	e, err := m.Evaluate(ctx, set, loss, o.Batch, choiceScore(file.Program, set, loss, stderr), countBar(stderr, "evaluating", len(set.Examples)))
	if err != nil {
		return err
	}
	return printEvaluation(stdout, e, o.JSON)
}

func printEvaluation(stdout io.Writer, e train.Evaluation, asJSON bool) error {
	result := evaluated{Evaluation: e}
	if !asJSON {
		_, err := fmt.Fprintf(stdout, "%s  (%d examples, %d answer tokens)\n", &result, e.Tally.Examples, e.Tally.Tokens)
		return err
	}
	fields := result.fields(map[string]any{"token_loss": e.Tally.MeanTokenLoss(), "tokens": e.Tally.Tokens})
	if e.Text {
		fields["perplexity"] = math.Exp(e.Loss)
	}
	return json.NewEncoder(stdout).Encode(fields)
}
