package main

import (
	"slices"
	"strings"

	"zeroth/mpzo/train"

	"github.com/urfave/cli/v2"
)

// The defaults of training: those of MobiZO for LoRA's B, which begins at zero,
// and those of MeZO for all weights, which a step must hardly move.
const (
	defaultLR, defaultFullLR           = 5e-3, 1e-6
	defaultEps, defaultFullEps         = 1e-2, 1e-3
	defaultQueries, defaultFullQueries = 4, 1
)

// estimation is how a step looks at the loss.
type estimation struct {
	Estimator train.Estimator
	Queries   int
	Eps       float32
	Params    string // paramsFull, or nothing for LoRA
}

// estimationFlags are those of how a step looks but for --eps, with --params where
// all weights can be trained, too.
func estimationFlags(full bool) []cli.Flag {
	flags := []cli.Flag{
		&cli.IntFlag{
			Name: "q", Usage: "directions (`QUERIES`) a step; 2q perturbed copies go forward, with fzoo or jvp q + 1",
			DefaultText: eitherDefault(full, defaultQueries, defaultFullQueries),
		},
		estimatorFlag(full),
	}
	if full {
		flags = append(flags, paramsFlag())
	}
	return flags
}

func epsFlag(full bool) cli.Flag {
	return &cli.Float64Flag{Name: "eps", Usage: "size of the perturbation, `ε`", DefaultText: eitherDefault(full, defaultEps, defaultFullEps)}
}

func estimatorFlag(full bool) cli.Flag {
	return &cli.StringFlag{
		Name: "estimator",
		Usage: "`NAME`: prge (± pairs, one widened forward a step), fzoo (one side of a shared baseline), jvp (exact slopes beside one unperturbed pass, no ε), mezo (2q forwards, one by one), or auto, which is recommended for LoRA (" +
			autoMeans() + ")",
		DefaultText: eitherDefault(full, train.PRGE{}.Name(), train.MeZO{}.Name()),
	}
}

// readEstimation reads --estimator and the flags beside it, as far as the command
// has them. Flags that auto stands for are set as if they had been given.
func readEstimation(flags *cli.Context) (e estimation, err error) {
	if err := setAuto(flags); err != nil {
		return e, err
	}
	if has(flags, "params") {
		if e.Params, err = readParams(flags); err != nil {
			return e, err
		}
	}
	queries, eps, name := defaultQueries, defaultEps, train.PRGE{}.Name()
	if e.Params == paramsFull {
		queries, eps, name = defaultFullQueries, defaultFullEps, train.MeZO{}.Name()
	}
	if flags.IsSet("estimator") {
		name = flags.String("estimator")
	}
	if e.Estimator, err = train.FindEstimator(name); err != nil {
		return e, usagef("--estimator %q: choose %s or %s", name, strings.Join(estimatorNames(), ", "), estimatorAuto)
	}
	if flags.IsSet("eps") && !e.perturbs() {
		return e, usagef("--eps and --estimator %s exclude each other: its slopes are exact, nothing is perturbed", name)
	}
	if e.Params == paramsFull && name != (train.MeZO{}).Name() {
		return e, usagef("--estimator %s and --params full exclude each other: a widened pass would hold every weight once a copy; mezo moves them for one pass at a time", name)
	}
	e.Queries, e.Eps = queries, float32(eps)
	if flags.IsSet("q") {
		e.Queries = flags.Int("q")
	}
	if flags.IsSet("eps") {
		e.Eps = float32(flags.Float64("eps")) // 0 where the command takes a list, and reads that itself
	}
	return e, nil
}

// perturbs reports whether the estimator takes slopes over an ε.
func (e *estimation) perturbs() bool { return e.Estimator.Method() == train.MethodLosses }

func estimatorNames() []string {
	var names []string
	for _, e := range train.Estimators() {
		names = append(names, e.Name())
	}
	return names
}

// has reports whether a command has a flag.
func has(flags *cli.Context, name string) bool {
	return slices.ContainsFunc(flags.Command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
}
