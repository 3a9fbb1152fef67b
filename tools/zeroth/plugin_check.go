package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"zeroth/kernels/conformance"
	"zeroth/kernels/plugin"
	"zeroth/runtime/kernel"

	"github.com/urfave/cli/v2"
)

func pluginCommand() *cli.Command {
	return group("plugin", "help with vendors' libraries of kernels",
		"docs/PLUGINS.md says how to write one. --plugin ./libx.so gives it to the other commands.", pluginCheckCommand())
}

type checkOptions struct {
	Argument string // LIBRARY[,KEY=VALUE…]
	Op       string
	Wait     time.Duration // for a sign of life
	JSON     bool
}

func pluginCheckCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "say what a plug-in lacks, step by step, in a process of its own",
		UsageText: "zeroth plugin check LIBRARY[,KEY=VALUE…] [flags]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "op", Usage: "try only the ops whose name contains `TEXT`"},
			&cli.DurationFlag{Name: "wait", Value: 2 * time.Minute, Usage: "a step that takes longer than this `TIME` hangs"},
			&cli.BoolFlag{Name: "json", Usage: "print all as JSON", DisableDefaultText: true},
			&cli.BoolFlag{Name: "in-process", Hidden: true, Usage: "load the library here and print events"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return withHint(usagef("which library?"), "zeroth plugin check ./libx.so")
			}
			o := checkOptions{Argument: c.Args().First(), Op: c.String("op"), Wait: c.Duration("wait"), JSON: c.Bool("json")}
			if o.Wait <= 0 {
				return usagef("--wait %s: give a time such as 30s", o.Wait)
			}
			if _, _, err := plugin.ParseArgument(o.Argument); err != nil {
				return usageError{err}
			}
			if c.Bool("in-process") {
				return checkHere(c.Context, o, c.App.Writer)
			}
			return runPluginCheck(c.Context, o, c.App.Writer)
		},
	}
}

// pluginReport is what came of a check.
type pluginReport struct {
	Library string       `json:"library"`
	Pass    bool         `json:"pass"`
	Plugin  *pluginFacts `json:"plugin,omitempty"` // where it could be opened
	Steps   []pluginStep `json:"steps"`
	Ops     []pluginOp   `json:"ops"` // those that it takes
	Log     []string     `json:"log,omitempty"`
}

// pluginFacts is what a plug-in says of itself.
type pluginFacts struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	About   string   `json:"about"`
	Score   int      `json:"score"`
	Levels  []string `json:"levels"`
}

func factsOf(p *plugin.Plugin) *pluginFacts {
	return &pluginFacts{Name: p.Name(), Version: p.Version(), About: p.About(), Score: p.Score(), Levels: p.Levels()}
}

// pluginStep is a stage of a check.
type pluginStep struct {
	Name  string `json:"name"`
	Pass  bool   `json:"pass"`
	Found string `json:"found"` // or what is wrong
}

// pluginOp is how an op fared on one of the two levels.
type pluginOp struct {
	Op      string   `json:"op"`
	Level   string   `json:"level"`
	Cases   int      `json:"cases"` // in the table
	Taken   int      `json:"taken"`
	Failed  int      `json:"failed"`
	Reasons []string `json:"reasons,omitempty"` // of the first that failed
}

// shownReasons is how many failures of an op are told.
const shownReasons = 3

// event is a line that the process with the library in it prints: one of its
// fields.
type event struct {
	Begin string       `json:"begin,omitempty"` // what it does next
	Step  *pluginStep  `json:"step,omitempty"`
	Facts *pluginFacts `json:"facts,omitempty"`
	Op    *pluginOp    `json:"op,omitempty"`
	Log   string       `json:"log,omitempty"`
}

// checkHere checks a library in this process, which it may end. What is wrong
// with the library is an event, not an error.
func checkHere(ctx context.Context, o checkOptions, stdout io.Writer) error {
	encoder := json.NewEncoder(stdout)
	var failed error
	send := func(e event) {
		if err := encoder.Encode(e); failed == nil {
			failed = err
		}
	}
	name, settings, err := plugin.ParseArgument(o.Argument)
	if err != nil {
		return err
	}
	steps := plugin.Steps()
	send(event{Begin: steps[0]})
	p, err := plugin.Open(name, plugin.Options{
		Settings: settings,
		Log:      func(line string) { send(event{Log: line}) },
		Step: func(name, found string) {
			send(event{Step: &pluginStep{Name: name, Pass: true, Found: found}})
			if steps = steps[1:]; len(steps) > 0 {
				send(event{Begin: steps[0]})
			}
		},
	})
	if err != nil {
		send(event{Step: &pluginStep{Name: steps[0], Found: err.Error()}})
		return failed
	}
	send(event{Facts: factsOf(p)})
	for _, level := range []struct {
		name    string
		kernels []kernel.Kernel
	}{{"kernels", p.Kernels()}, {"delegate", p.DelegateKernels()}} {
		if level.kernels == nil {
			continue
		}
		if err := tryLevel(ctx, o.Op, level.name, level.kernels, send); err != nil {
			return err
		}
	}
	return failed
}

// tryLevel runs the cases that kernels take and tells of each op.
func tryLevel(ctx context.Context, op, level string, kernels []kernel.Kernel, send func(event)) error {
	registry, err := kernel.NewRegistry(kernels)
	if err != nil {
		return err
	}
	report, err := conformance.Run(ctx, registry, conformance.Options{
		Op: op, Taken: true, Workers: []int{1, 2},
		Started: func(c *conformance.Case) { send(event{Begin: fmt.Sprintf("%s: %s %s", level, c.Op, c.Name)}) },
	})
	if err != nil {
		return err
	}
	step := &pluginStep{Name: level, Pass: true, Found: fmt.Sprintf("%d of %d cases taken", len(report.Results), len(report.Results)+report.Untaken)}
	ops := opsOf(report, level)
	for i := range ops {
		send(event{Op: &ops[i]})
	}
	switch failed := len(report.Failed()); {
	case len(report.Results) == 0:
		step.Pass, step.Found = false, fmt.Sprintf("it takes none of %d cases", report.Untaken)
	case failed > 0:
		step.Pass, step.Found = false, fmt.Sprintf("%d of %d cases failed", failed, len(report.Results))
	}
	send(event{Step: step})
	return nil
}

// opsOf sums the results up by op.
func opsOf(report conformance.Report, level string) []pluginOp {
	inTable := make(map[string]int)
	for _, c := range conformance.Cases() {
		inTable[c.Op.String()]++
	}
	var list []pluginOp
	for _, r := range report.Results {
		i := slices.IndexFunc(list, func(o pluginOp) bool { return o.Op == r.Op })
		if i < 0 {
			i = len(list)
			list = append(list, pluginOp{Op: r.Op, Level: level, Cases: inTable[r.Op]})
		}
		o := &list[i]
		o.Taken++
		if r.Pass {
			continue
		}
		if o.Failed++; len(o.Reasons) < shownReasons {
			o.Reasons = append(o.Reasons, r.Case+": "+r.Message)
		}
	}
	return list
}

// runPluginCheck checks a library in a process of its own, so that a crash is a
// finding too.
func runPluginCheck(ctx context.Context, o checkOptions, stdout io.Writer) error {
	name, _, err := plugin.ParseArgument(o.Argument)
	if err != nil {
		return usageError{err}
	}
	report := pluginReport{Library: name, Steps: []pluginStep{}, Ops: []pluginOp{}}
	if err := checkApart(ctx, o, &report); err != nil {
		return err
	}
	report.Pass = !slices.ContainsFunc(report.Steps, func(s pluginStep) bool { return !s.Pass })
	if o.JSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else {
		err = report.print(stdout)
	}
	if err == nil && !report.Pass {
		err = errors.New(name + " is not ready to be used")
	}
	return err
}

func (r *pluginReport) print(stdout io.Writer) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range r.Steps {
		fmt.Fprintf(w, "%s\t%s\t%s\n", map[bool]string{true: "ok", false: "FAILED"}[s.Pass], s.Name, s.Found)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Ops) > 0 {
		fmt.Fprintln(w, "\nop\tlevel\tcases\ttaken\tfailed")
		for _, o := range r.Ops {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", o.Op, o.Level, o.Cases, o.Taken, o.Failed)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	for _, o := range r.Ops {
		for _, reason := range o.Reasons {
			fmt.Fprintf(&b, "FAILED %s %s\n", o.Op, reason)
		}
	}
	for _, line := range r.Log {
		fmt.Fprintf(&b, "log: %s\n", line)
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}
