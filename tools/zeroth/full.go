package main

import (
	"errors"
	"fmt"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/runtime/noise"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

// What a run trains: --params.
const (
	paramsLoRA = "lora"
	paramsFull = pass.ParamsFull
)

func paramsFlag() cli.Flag {
	return &cli.StringFlag{Name: "params", Usage: "train `WHAT`: lora, or full (every weight, f32 or bf16, by the estimator mezo)", Value: paramsLoRA}
}

// eitherDefault shows the two defaults of a flag, or LoRA's where a command knows
// no other.
func eitherDefault(both bool, lora, full any) string {
	if !both {
		return fmt.Sprint(lora)
	}
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

// choose sets what is trained, how the loss is looked at, and the rate that suits
// what is trained where none is given.
func (c *runConfig) choose(e estimation, flags *cli.Context) error {
	c.Params, c.Estimator, c.Queries, c.Eps = e.Params, e.Estimator.Name(), e.Queries, e.Eps
	if c.full() && c.Moves.Averages() {
		return usagef("--optimizer %s and --params full exclude each other: it keeps a value or more for each that is trained", c.Moves.Optimizer)
	}
	switch {
	case flags.IsSet("lr"):
		c.LR = float32(flags.Float64("lr"))
	case c.full():
		c.LR = defaultFullLR
	default:
		c.LR = defaultLR
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
