package main

import (
	"fmt"

	"zeroth/mpzo/train"

	"github.com/urfave/cli/v2"
)

// estimatorAuto stands for the settings that learned most from a forward row in
// the studies of docs/RATIONALE.md.
const estimatorAuto = "auto"

// What it stands for.
const (
	autoQueries   = 3
	autoLR        = 1e-3
	autoEps       = 1e-3
	autoOptimizer = "muon"
	autoSchedule  = train.Linear
)

// autoMeans says it in flags.
func autoMeans() string {
	return fmt.Sprintf("fzoo --optimizer %s --init-a %s --q %d --lr %g --eps %g --schedule %s, save what is given", autoOptimizer, initAActivations, autoQueries, autoLR, autoEps, autoSchedule)
}

// chooseAuto sets what --estimator auto stands for, as if it had been given. A
// run that starts from an adapter keeps that one's A.
func (c *runConfig) chooseAuto(flags *cli.Context) error {
	if c.Estimator != estimatorAuto {
		return nil
	}
	if flags.String("params") == paramsFull {
		return usagef("--estimator %s and --params full exclude each other: all weights are trained by mezo", estimatorAuto)
	}
	values := []struct{ name, value string }{
		{"optimizer", autoOptimizer},
		{"init-a", initAActivations},
		{"q", fmt.Sprint(autoQueries)},
		{"lr", fmt.Sprint(autoLR)},
		{"eps", fmt.Sprint(autoEps)},
		{"schedule", string(autoSchedule)},
	}
	for _, v := range values {
		if flags.IsSet(v.name) || v.name == "init-a" && c.Adapter != "" {
			continue
		}
		if err := flags.Set(v.name, v.value); err != nil {
			return err
		}
	}
	if err := flags.Set("estimator", train.FZOO{}.Name()); err != nil {
		return err
	}
	c.Estimator, c.Schedule = flags.String("estimator"), flags.String("schedule")
	c.Queries, c.Moves = flags.Int("q"), readMoves(flags)
	c.LR, c.Eps = float32(flags.Float64("lr")), float32(flags.Float64("eps"))
	return nil
}
