package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zeroth/internal/bytesize"
	"zeroth/kernels/cpu"
	"zeroth/tools/bench"

	"github.com/urfave/cli/v2"
)

// opsReport is what "bench ops" prints.
type opsReport struct {
	Machine bench.Machine `json:"machine"`
	Program string        `json:"program"`
	bench.Ops
}

func benchOpsCommand() *cli.Command {
	flags := append(append(stepFlags(false), loraFlags()...), engineFlags()...)
	return &cli.Command{
		Name: "ops", Usage: "time every op of a step against the ceilings of arithmetic and of memory",
		UsageText: "zeroth bench ops PROGRAM [flags]",
		Description: "The ops are timed in place, within whole steps. An op could not be faster than its\n" +
			"multiply-adds at the ceiling of their instruction, nor than a copy of as many bytes as its\n" +
			"inputs and outputs have: of ceiling is the longer of the two by what it took.",
		Flags: withoutRepeats(append(flags, benchFlags(5, "in all")...)),
		Action: func(c *cli.Context) error {
			o, err := readStep(c)
			if err != nil {
				return err
			}
			if !o.Look.perturbs() {
				return withHint(usagef("--estimator %s: there are no ceilings for the ops of its tangents", o.Look.Estimator.Name()),
					"zeroth train --profile shows what each of them takes")
			}
			return runBenchOps(c, o)
		},
	}
}

func runBenchOps(c *cli.Context, o stepOptions) error {
	file, s, err := o.open()
	if err != nil {
		return err
	}
	defer file.Close()
	features, err := cpu.DetectLimited()
	if err != nil {
		return usageError{err}
	}
	report := opsReport{Program: o.Program}
	if report.Machine, err = o.Measuring.machine(); err != nil {
		return err
	}
	b, err := o.Engine.find()
	if err != nil {
		return err
	}
	s.Half = halvesOf(b.Kernels)
	progress, finish := watch(c.App.ErrWriter)
	s.Progress = progress
	report.Ops, err = bench.RunOps(c.Context, s, features)
	finish()
	if err != nil {
		return err
	}
	slices.SortStableFunc(report.Ops.Ops, func(a, b bench.Op) int { return cmp.Compare(b.Share, a.Share) })
	return o.Measuring.show(c.App.Writer, report, func(b *strings.Builder) error { return printBenchOps(b, report) })
}

func printBenchOps(b *strings.Builder, r opsReport) error {
	printMachine(b, r.Machine)
	for _, c := range r.Ceilings {
		fmt.Fprintf(b, "ceiling: %s Gop/s of %s\n", giga(c.OpsPerS), c.Instruction)
	}
	for _, t := range r.Copies {
		fmt.Fprintf(b, "ceiling: %s GB/s of a copy that touches %s\n", giga(t.BytesPerS), bytesize.Format(t.Bytes))
	}
	var rows []string
	for _, o := range r.Ops.Ops {
		rows = append(rows, fmt.Sprintf("%.1f\t%s\t%d\t%s\t%s\t%s\t  %s, %s, %s", 1e6*o.Seconds, percent(o.Share), o.Nodes,
			giga(o.OpsPerS), giga(o.BytesPerS), percent(o.OfCeiling), o.Bound, o.Kernel, o.Shape))
	}
	return table(b, "µs\tof the step\tnodes\tGop/s\tGB/s\tof ceiling\t  bound by, kernel, shape", rows)
}
