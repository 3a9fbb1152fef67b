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
	autoQueries  = 7
	autoBatch    = 1
	autoRank     = 2
	autoLR       = 2e-2
	autoEps      = 2.5e-3
	autoSchedule = train.Linear
)

// autoMeans says it in flags.
func autoMeans() string {
	return fmt.Sprintf("fzoo --normalise --init-a %s --rank %d --batch %d --q %d --lr %g --eps %g --schedule %s, save what is given", initAActivations, autoRank, autoBatch, autoQueries, autoLR, autoEps, autoSchedule)
}

// setAuto sets what --estimator auto stands for, as if it had been given, as far
// as the command has such flags. What starts from an adapter keeps that one's rank
// and A.
func setAuto(flags *cli.Context) error {
	if flags.String("estimator") != estimatorAuto {
		return nil
	}
	if flags.String("params") == paramsFull {
		return usagef("--estimator %s and --params full exclude each other: all weights are trained by mezo", estimatorAuto)
	}
	values := []struct{ name, value string }{
		{"normalise", "true"},
		{"init-a", initAActivations},
		{"rank", fmt.Sprint(autoRank)},
		{"batch", fmt.Sprint(autoBatch)},
		{"sequences", fmt.Sprint(autoBatch)}, // where a batch is given by its sizes
		{"q", fmt.Sprint(autoQueries)},
		{"lr", fmt.Sprint(autoLR)},
		{"eps", fmt.Sprint(autoEps)},
		{"schedule", string(autoSchedule)},
	}
	for _, v := range values {
		ofAdapter := flags.String("adapter") != "" && (v.name == "init-a" || v.name == "rank")
		if !has(flags, v.name) || flags.IsSet(v.name) || ofAdapter {
			continue
		}
		if err := flags.Set(v.name, v.value); err != nil {
			return err
		}
	}
	return flags.Set("estimator", train.FZOO{}.Name())
}
