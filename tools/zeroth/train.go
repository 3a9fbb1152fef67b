package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"zeroth/mpzo/train"

	"github.com/urfave/cli/v2"
)

func trainCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "training `FILE` (.jsonl, .tsv, .csv, .json of SQuAD, .txt)"},
		&cli.StringFlag{Name: "held-out", Usage: "`FILE` to evaluate on; the best adapter is chosen by it"},
		&cli.StringFlag{Name: "test", Usage: "`FILE` to evaluate on at the end, with the best adapter and with the last; it chooses nothing"},
		&cli.StringFlag{Name: "out", Usage: "new `FOLDER` for the run", Value: "zeroth-run"},
		&cli.StringFlag{Name: "resume", Usage: "go on with the run in `FOLDER`, with its own settings"},
		&cli.StringFlag{Name: "adapter", Usage: "start from the PEFT adapter in `FOLDER`, with its rank, alpha and sites"},
		&cli.StringFlag{Name: "init-a", Usage: "how LoRA's A is chosen, a `NAME`: random, or activations (the directions in which each layer's inputs are largest)", Value: initARandom},
		&cli.Uint64Flag{Name: "steps", Usage: "number of training `STEPS`", Value: 500},
		&cli.IntFlag{Name: "batch", Usage: "`EXAMPLES` a step", Value: 8},
		&cli.Float64Flag{Name: "lr", Usage: "learning `RATE`", DefaultText: eitherDefault(true, defaultLR, defaultFullLR)},
		&cli.StringFlag{Name: "schedule", Usage: "how the rate changes, a `NAME`: constant, linear or cosine (both fall to 0)", Value: "constant"},
		&cli.Uint64Flag{Name: "warmup", Usage: "`STEPS` at the start over which the rate rises", DefaultText: "0"},
		&cli.StringFlag{Name: "optimizer", Usage: "how B moves, a `NAME`: " + strings.Join(train.Optimizers(), ", "), Value: train.Optimizers()[0]},
		&cli.Float64Flag{Name: "momentum", Usage: "`β` of the mean over past steps, for optimizers other than sgd", DefaultText: fmt.Sprint(train.DefaultMomentum)},
		&cli.BoolFlag{Name: "normalise", Usage: "divide slopes by their usual size, so that --lr means the same on every task", DisableDefaultText: true},
		&cli.Float64Flag{Name: "clip", Usage: "clip slopes to `N` times their usual size; 0: not", DefaultText: "0"},
		&cli.Uint64Flag{Name: "seed", DefaultText: "0", Usage: "`SEED` of A, the directions and the order of examples"},
		&cli.Uint64Flag{Name: "eval-every", Usage: "evaluate on --held-out every `STEPS`; 0: at the start and the end only"},
		&cli.BoolFlag{Name: "profile", Usage: "print the time of each op and kernel at the end", DisableDefaultText: true},
		&cli.BoolFlag{Name: "trace", Usage: "write the time of every node as trace.json, for chrome://tracing or Perfetto", DisableDefaultText: true},
		&cli.StringFlag{Name: "fallback", Usage: "what goes on with the run where the device of --backend fails, a `NAME`: cpu, from the last step of the journal, or none", Value: fallbackCPU},
		&cli.BoolFlag{Name: "json", Usage: "print every step and evaluation as a line of JSON", DisableDefaultText: true},
	}
	flags = slices.Concat(flags, estimationFlags(true), []cli.Flag{epsFlag(true)}, taskFlags(), shotFlags(), loraFlags(), prefixFlags(), engineFlags(), paceFlags())
	return &cli.Command{
		Name: "train", Usage: "fine-tune a program's LoRA, or all its weights, with forward passes alone",
		UsageText: "zeroth train PROGRAM --data FILE --task TASK [flags]\nzeroth train --resume FOLDER",
		Description: "A step draws q random directions, runs the model forward at +eps and -eps of each\n" +
			"and moves LoRA's B, or with --params full every weight, along those that lower the\n" +
			"loss. Nothing is back-propagated.\n\n" +
			"The run's folder gets:\n" +
			"  journal       every step and evaluation, a few bytes each: enough to rebuild the adapter\n" +
			"  adapter       the last adapter (PEFT)\n" +
			"  best          the adapter that did best on --held-out\n" +
			"  start         with --init-a activations: the adapter that the run began with\n" +
			"  run.json      the settings, to resume with\n" +
			"  prefix.cache  with --prefix-cache: what the frozen layers give; it can be deleted\n" +
			"  profile.json  where time and memory went, for zeroth report\n\n" +
			"A run of --params full writes no weights: program and journal rebuild them, after any\n" +
			"step, by zeroth replay.\n\n" +
			"Ctrl-C saves and ends; --resume goes on to the same bits. Of the other flags it takes\n" +
			"--steps (to train longer), --threads, --cpus, --backend, --plugin, --fallback, --mem-limit,\n" +
			"--prefix-cache, --prefix-cache-dir, --max-temp, --min-battery, --nice, --json, --profile\n" +
			"and --trace. What it runs on is not kept with the run: give --backend and --plugin again.\n\n" +
			"Example:\n" +
			"  zeroth train m.zpt --data train.tsv --held-out dev.tsv --task sst2 --steps 500 --out run",
		Flags:  flags,
		Action: func(c *cli.Context) error { return trainThen(c, nil) },
	}
}

// trainThen is the train command. It calls then, if given, at the end of a run
// whose model still stands.
func trainThen(c *cli.Context, then func(context.Context, *trainRun) error) error {
	r, err := newTrainRun(c)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.run(c.Context); err != nil || then == nil {
		return err
	}
	return then(c.Context, r)
}
