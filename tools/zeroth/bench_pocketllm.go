package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"zeroth/internal/bytesize"
	"zeroth/tools/bench"

	"github.com/urfave/cli/v2"
)

// pocketReport is what "bench pocketllm" prints.
type pocketReport struct {
	Machine bench.Machine `json:"machine"`
	Queries int           `json:"queries"`
	Tokens  int           `json:"tokens"` // of an example
	Rows    []pocketRow   `json:"rows"`
}

// pocketRow is one configuration with one method.
type pocketRow struct {
	bench.PocketConfig
	Method bench.PocketMethod `json:"method"`
	Step   bench.Step         `json:"step"`
}

type pocketOptions struct {
	Configs   []bench.PocketConfig
	Methods   []bench.PocketMethod
	Folder    string
	Keep      bool
	Queries   int
	Tokens    int
	Measuring measuring
	CPUs      string // as they were listed
	Progress  func(done, total int, what string)
	// zeroth runs this command as a process of its own, so that its memory is its
	// own, and returns what it prints.
	zeroth func(ctx context.Context, args ...string) ([]byte, error)
}

func benchPocketLLMCommand() *cli.Command {
	return &cli.Command{
		Name: "pocketllm", Usage: "time steps and memory of the fine-tunes that PocketLLM did on a phone",
		UsageText: "zeroth bench pocketllm [flags]",
		Description: "Each is run as a process of its own on random weights in the model's shape, which\n" +
			"zeroth synth makes: up to 5.3 GB of disk, given back after use.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "configs", Usage: "a `LIST` of model:batch", DefaultText: "all: " + strings.Join(pocketConfigNames(), ",")},
			&cli.StringFlag{Name: "methods", Usage: "a `LIST` of methods", DefaultText: "all: " + strings.Join(pocketMethodNames(), ",")},
			&cli.StringFlag{Name: "programs", Usage: "`FOLDER` for the programs; those that are there are used", DefaultText: "a temporary one"},
			&cli.BoolFlag{Name: "keep", Usage: "keep the programs in --programs", DisableDefaultText: true},
			&cli.IntFlag{Name: "q", Value: 1, Usage: "directions (`QUERIES`) a step; MeZO has one"},
			&cli.IntFlag{Name: "tokens", Value: 64, Usage: "`TOKENS` of an example"},
		}, benchFlags(0, "for each, at least three steps")...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			o, err := readPocket(c)
			if err != nil {
				return err
			}
			return runPocket(c, o)
		},
	}
}

func pocketConfigName(p bench.PocketConfig) string { return fmt.Sprintf("%s:%d", p.Arch, p.Batch) }

func pocketConfigNames() []string {
	var names []string
	for _, p := range bench.PocketConfigs() {
		names = append(names, pocketConfigName(p))
	}
	return names
}

func pocketMethodNames() []string {
	var names []string
	for _, m := range bench.PocketMethods() {
		names = append(names, m.Name)
	}
	return names
}

// choose takes those of all whose names are in a list, or all where it is empty.
func choose[T any](flag, list string, all []T, name func(T) string) ([]T, error) {
	if list == "" {
		return all, nil
	}
	var chosen []T
	for _, want := range strings.Split(list, ",") {
		i := slices.IndexFunc(all, func(v T) bool { return name(v) == strings.TrimSpace(want) })
		if i < 0 {
			var names []string
			for _, v := range all {
				names = append(names, name(v))
			}
			return nil, usagef("--%s: no %q: choose among %s", flag, want, strings.Join(names, ","))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func readPocket(c *cli.Context) (pocketOptions, error) {
	o := pocketOptions{
		Folder: c.String("programs"), Keep: c.Bool("keep"), Queries: c.Int("q"), Tokens: c.Int("tokens"),
		zeroth: runSelf(c.App.ErrWriter),
	}
	var err error
	o.CPUs = c.String("cpus")
	if o.Measuring, err = readMeasuring(c); err != nil {
		return o, err
	}
	if o.Configs, err = choose("configs", c.String("configs"), bench.PocketConfigs(), pocketConfigName); err != nil {
		return o, err
	}
	o.Methods, err = choose("methods", c.String("methods"), bench.PocketMethods(), func(m bench.PocketMethod) string { return m.Name })
	switch {
	case err != nil:
		return o, err
	case o.Keep && o.Folder == "":
		return o, usagef("--keep needs --programs FOLDER")
	case o.Queries < 1 || o.Queries > 1024:
		return o, usagef("--q %d: must be 1 to 1024", o.Queries)
	case o.Tokens < 1 || o.Tokens > pocketContext:
		return o, usagef("--tokens %d: must be 1 to %d", o.Tokens, pocketContext)
	}
	return o, nil
}

// pocketContext is the context that programs are made for: all that both models
// have positions for.
const pocketContext = 512

// runSelf runs this very command in a process of its own.
func runSelf(stderr io.Writer) func(ctx context.Context, args ...string) ([]byte, error) {
	return func(ctx context.Context, args ...string) ([]byte, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command := exec.CommandContext(ctx, self, args...)
		var out, messages bytes.Buffer
		command.Stdout, command.Stderr = &out, &messages
		if err := command.Run(); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			_, _ = stderr.Write(messages.Bytes())
			return nil, fmt.Errorf("zeroth %s: %w", strings.Join(args, " "), err)
		}
		return out.Bytes(), nil
	}
}

func runPocket(c *cli.Context, o pocketOptions) error {
	machine, err := o.Measuring.machine()
	if err != nil {
		return err
	}
	progress, finish := watch(c.App.ErrWriter)
	o.Progress = progress
	report, err := o.measure(c.Context)
	finish()
	if err != nil {
		return err
	}
	report.Machine = machine
	return o.Measuring.show(c.App.Writer, report, func(b *strings.Builder) error { return printPocket(b, report) })
}

// measure runs every method of every configuration. A program is made when it is
// first needed and removed when it is no longer.
func (o *pocketOptions) measure(ctx context.Context) (report pocketReport, err error) {
	report = pocketReport{Queries: o.Queries, Tokens: o.Tokens}
	folder := o.Folder
	if folder == "" {
		if folder, err = os.MkdirTemp("", "zeroth-pocketllm"); err != nil {
			return report, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	} else if err := os.MkdirAll(folder, 0o777); err != nil {
		return report, err
	}
	done, total := 0, len(o.Configs)*len(o.Methods)
	made := make(map[string]bool) // programs that were not there before
	for _, method := range o.Methods {
		for i, config := range o.Configs {
			o.Progress(done, total, pocketConfigName(config)+" "+method.Name)
			done++
			row := pocketRow{PocketConfig: config, Method: method}
			path := filepath.Join(folder, fmt.Sprintf("%s-%s.zpt", config.Arch, method.Quant))
			if !isFile(path) {
				made[path] = true
				if err := o.synth(ctx, path, config.Arch, method.Quant); err != nil {
					return report, err
				}
			}
			if row.Step, err = o.step(ctx, path, config, method); err != nil {
				return report, err
			}
			report.Rows = append(report.Rows, row)
			again := slices.ContainsFunc(o.Configs[i+1:], func(c bench.PocketConfig) bool { return c.Arch == config.Arch })
			if made[path] && !again && !o.Keep {
				if err := os.Remove(path); err != nil {
					return report, err
				}
			}
		}
	}
	return report, nil
}

// synth makes a program.
func (o *pocketOptions) synth(ctx context.Context, path, arch, quant string) error {
	_, err := o.zeroth(ctx, "synth", "--arch", arch, "--quant", quant, "--context", strconv.Itoa(pocketContext), "--out", path)
	return err
}

// step times a step in a process of its own.
func (o *pocketOptions) step(ctx context.Context, path string, config bench.PocketConfig, method bench.PocketMethod) (bench.Step, error) {
	args := []string{
		"bench", "step", path, "--alone", "--json",
		"--q", strconv.Itoa(o.Queries), "--batch", strconv.Itoa(config.Batch), "--tokens", strconv.Itoa(o.Tokens),
		"--threads", strconv.Itoa(o.Measuring.Workers.Threads), "--seconds", strconv.FormatFloat(o.Measuring.Budget.Seconds(), 'g', -1, 64),
	}
	if o.CPUs != "" {
		args = append(args, "--cpus", o.CPUs)
	}
	if method.Full {
		args = append(args, "--params", "full")
	}
	out, err := o.zeroth(ctx, args...)
	if err != nil {
		return bench.Step{}, err
	}
	var report stepReport
	if err := json.Unmarshal(out, &report); err != nil {
		return bench.Step{}, fmt.Errorf("zeroth %s: %w", strings.Join(args, " "), err)
	}
	return report.Step, nil
}

func printPocket(b *strings.Builder, r pocketReport) error {
	printMachine(b, r.Machine)
	fmt.Fprintf(b, "random weights; %d directions a step, examples of %d tokens. PocketLLM's figures (arXiv 2407.01031) are of\n"+
		"MeZO on a phone, an OPPO Reno 6, ours of this machine: only the memory can be compared.\n", r.Queries, r.Tokens)
	var rows []string
	for _, row := range r.Rows {
		m := row.Step.Memory
		rows = append(rows, fmt.Sprintf("%s\t%d\t%.2f\t%.2f\t%s\t%s\t%s\t%s\t%s\t  %s", row.Arch, row.Batch, row.Step.Seconds, row.Step.Processor, bytesize.Format(m.Peak),
			bytesize.Format(m.Weights), bytesize.Format(m.Arena), row.Phone.Seconds, row.Phone.Memory, row.Method.About))
	}
	return table(b, "model\tbatch\ts a step\tof processors\tpeak memory\tweights\tarena\ts, phone\tmemory, phone\t  method", rows)
}
