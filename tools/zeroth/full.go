package main

import (
	"errors"
	"fmt"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

// What a run trains: --params.
const (
	paramsLoRA = "lora"
	paramsFull = pass.ParamsFull
)

// The defaults of training: those of MobiZO for LoRA's B, which begins at zero,
// and those of MeZO for all weights, which a step must hardly move.
const (
	defaultLR, defaultFullLR           = 5e-3, 1e-6
	defaultEps, defaultFullEps         = 1e-2, 1e-3
	defaultQueries, defaultFullQueries = 4, 1
)

func paramsFlag() cli.Flag {
	return &cli.StringFlag{Name: "params", Usage: "train `WHAT`: lora, or full (every weight, f32 or bf16, by the estimator mezo)", Value: paramsLoRA}
}

// eitherDefault shows the two defaults of a flag.
func eitherDefault(lora, full any) string {
	return fmt.Sprintf("%v; with --params full %v", lora, full)
}

// full reports whether all weights are trained, not LoRA.
func (c *runConfig) full() bool { return c.Params == paramsFull }

// product is what a run's journal rebuilds.
func (c *runConfig) product() string {
	if c.full() {
		return "program"
	}
	return "adapter"
}

// chooseParams reads --params and gives the flags that were not given their
// defaults by it.
func (c *runConfig) chooseParams(flags *cli.Context) error {
	queries, lr, eps, estimator := defaultQueries, defaultLR, defaultEps, train.PRGE{}.Name()
	var err error
	if c.Params, err = readParams(flags); err != nil {
		return err
	}
	if c.full() {
		queries, lr, eps, estimator = defaultFullQueries, defaultFullLR, defaultFullEps, train.MeZO{}.Name()
	}
	if !flags.IsSet("q") {
		c.Queries = queries
	}
	if !flags.IsSet("lr") {
		c.LR = float32(lr)
	}
	if !flags.IsSet("eps") {
		c.Eps = float32(eps)
	}
	if !flags.IsSet("estimator") {
		c.Estimator = estimator
	}
	if c.full() && c.Estimator != (train.MeZO{}).Name() {
		return usagef("--estimator %s and --params full exclude each other: a widened pass would hold every weight once a copy; mezo moves them for one pass at a time", c.Estimator)
	}
	if c.full() && c.Moves.Averages() {
		return usagef("--optimizer %s and --params full exclude each other: it keeps a value or more for each that is trained", c.Moves.Optimizer)
	}
	return nil
}

// readParams reads --params; lora is nothing.
func readParams(flags *cli.Context) (string, error) {
	switch params := flags.String("params"); params {
	case paramsLoRA:
		return "", nil
	case paramsFull:
		return params, refuseWithFull(flags)
	default:
		return "", usagef("--params %q: choose lora or full", params)
	}
}

// refuseWithFull refuses the flags that only LoRA has a use for.
func refuseWithFull(flags *cli.Context) error {
	for _, name := range []string{"rank", "alpha", "modules", "layers", "init-a"} {
		if flags.IsSet(name) {
			return usagef("--%s and --params full exclude each other: there is no LoRA", name)
		}
	}
	if flags.IsSet("adapter") {
		return withHint(usagef("--adapter and --params full exclude each other: there is no LoRA"),
			"merge it into the checkpoint first: zeroth adapter merge")
	}
	return nil
}

// openWritable opens a program whose weights will be moved in memory.
func openWritable(path string) (*program.File, error) { return openWith(program.OpenWritable, path) }

// trainable is the program with what --params says is trained in it.
func trainable(params string, p *program.Program, lora pass.LoRA) (*program.Program, error) {
	if params == paramsFull {
		return trainAll(p, lora.Sampler)
	}
	return relinkFor(params, p, lora)
}

// trainAll makes every weight of a program a slot. They share the file's
// storage, which must be writable once the result is run.
func trainAll(p *program.Program, sampler noise.Sampler) (*program.Program, error) {
	m := graph.Lift(p)
	if err := pass.TrainAll(m, sampler); err != nil {
		if errors.Is(err, pass.ErrFull) {
			err = withHint(err, "export the checkpoint again with --quant bf16 or --quant f32")
		}
		return nil, err
	}
	return lowered(m, p)
}

// weightBytes is the storage of a program's constants and of the slots that
// bring their own.
func weightBytes(p *program.Program) int {
	n := ownedBytes(p)
	for _, c := range p.Constants {
		n += len(c.Data)
	}
	return n
}

// ownedBytes is the storage that slots bring along.
func ownedBytes(p *program.Program) (n int) {
	for _, s := range p.Slots {
		n += len(s.Data)
	}
	return n
}

// memoryLimit is what a session of a program may take: the machine's memory
// without the weights that are moved, since those no longer are the file's pages.
func memoryLimit(p *program.Program) int64 {
	return max(1, physicalBytes()-int64(ownedBytes(p)))
}
