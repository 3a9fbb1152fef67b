package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"zeroth/kernels/conformance"
	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"

	"github.com/urfave/cli/v2"
)

type conformanceOptions struct {
	Op      string
	Part    casePart
	Every   bool
	JSON    bool
	Verbose bool
	Engine  engine
}

func conformanceCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "op", Usage: "only the ops whose name contains `TEXT`"},
		&cli.StringFlag{Name: "part", Usage: "only every Nth case from the Ith on, as `I/N`: 2/10 is a tenth of the table", DefaultText: "all"},
		&cli.BoolFlag{Name: "every", Usage: "try every kernel that supports a case, not only the one that would be picked", DisableDefaultText: true},
		&cli.BoolFlag{Name: "verbose", Usage: "print a line for each case", DisableDefaultText: true},
		&cli.BoolFlag{Name: "digest", Usage: "print what stands for the bits of the results instead, to compare with another machine", DisableDefaultText: true},
		&cli.BoolFlag{Name: "json", Usage: "print all results as JSON", DisableDefaultText: true},
	}
	return &cli.Command{
		Name: "conformance", Usage: "compare a backend's kernels with the plain ones, op by op",
		UsageText: "zeroth conformance [flags]",
		Flags:     append(flags, engineFlags()[0], pluginFlag(), cpusFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			e, err := pluginEngine(c)
			if err != nil {
				return err
			}
			if e.CPUs, err = readCPUs(c); err != nil {
				return err
			}
			o := conformanceOptions{
				Op: c.String("op"), Every: c.Bool("every"), Verbose: c.Bool("verbose"), JSON: c.Bool("json"),
				Engine: e,
			}
			if o.Part, err = readPart(c.String("part")); err != nil {
				return err
			}
			if c.Bool("digest") {
				if c.IsSet("part") {
					return usagef("--part: a digest is of all cases")
				}
				return runDigest(c.Context, o, c.App.Writer)
			}
			return runConformance(c.Context, o, c.App.Writer)
		},
	}
}

// casePart is a share of the table: case first, and each count-th behind it.
type casePart struct{ first, count int }

// readPart reads a share as users count: from 1.
func readPart(text string) (casePart, error) {
	if text == "" {
		return casePart{0, 1}, nil
	}
	first, count, _ := strings.Cut(text, "/")
	i, err := strconv.Atoi(first)
	n, err2 := strconv.Atoi(count)
	if err != nil || err2 != nil || i < 1 || n < i {
		return casePart{}, usagef("--part %q: must be I/N with 1 ≤ I ≤ N", text)
	}
	return casePart{i - 1, n}, nil
}

// runDigest prints a line for each op and type of weights: the same lines on two
// machines mean that runs can go from one to the other bit for bit.
func runDigest(ctx context.Context, o conformanceOptions, stdout io.Writer) error {
	_, registry, err := o.Engine.examined()
	if err != nil {
		return err
	}
	list, err := conformance.Digests(ctx, registry, o.Op)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return usagef("--op %q: no op's name contains it; the ops are %s", o.Op, opNames())
	}
	if o.JSON {
		return json.NewEncoder(stdout).Encode(list)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, d := range list {
		fmt.Fprintf(w, "%s\t%s\t%d cases\t%s\n", d.Op, d.Weights, d.Cases, d.Sum)
	}
	return w.Flush()
}

// examined are the kernels to compare with the plain ones: the backend's, a
// delegate's among them, and before them those of plug-ins.
func (e engine) examined() (backend.Backend, *kernel.Registry, error) {
	b, err := e.find()
	if err != nil {
		return b, nil, err
	}
	kernels := b.Kernels
	if !isPlugin(e.Backend) {
		plugins, err := e.plugins()
		if err != nil {
			return b, nil, err
		}
		for _, p := range plugins {
			kernels = slices.Concat(p.Kernels(), p.DelegateKernels(), kernels)
		}
	}
	registry, err := kernel.NewRegistry(kernels)
	return b, registry, err
}

func runConformance(ctx context.Context, o conformanceOptions, stdout io.Writer) error {
	b, registry, err := o.Engine.examined()
	if err != nil {
		return err
	}
	options := conformance.Options{
		Op: o.Op, Part: o.Part.first, Parts: o.Part.count, Every: o.Every, CPUs: o.Engine.CPUs,
	}
	_, onVulkan := deviceIndex(vulkanName, o.Engine.Backend)
	_, onOpenCL := deviceIndex(openclName, o.Engine.Backend)
	options.Taken = isPlugin(o.Engine.Backend) || onVulkan || onOpenCL
	if (onVulkan || onOpenCL) && !o.Every {
		options.Workers = []int{1} // a device does without the pool
	}
	result, err := conformance.Run(ctx, registry, options)
	if err != nil {
		return err
	}
	if len(result.Results) == 0 && result.Untaken > 0 {
		return fmt.Errorf("backend %s takes none of %d cases", o.Engine.Backend, result.Untaken)
	}
	if len(result.Results) == 0 && o.Part.count > 1 {
		return usagef("--part: no case of the ops asked for is in this share")
	}
	if len(result.Results) == 0 {
		return usagef("--op %q: no op's name contains it; the ops are %s", o.Op, opNames())
	}
	if o.JSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(result)
	} else {
		fmt.Fprintf(stdout, "backend %s: %s\n", b.Name, b.About)
		err = printConformance(stdout, result, o.Verbose)
	}
	if err != nil {
		return err
	}
	if failed := len(result.Failed()); failed > 0 {
		return fmt.Errorf("%d of %d cases failed on backend %s", failed, len(result.Results), o.Engine.Backend)
	}
	return nil
}

// opNames lists the ops that have cases.
func opNames() string {
	var names []string
	for _, c := range conformance.Cases() {
		if name := c.Op.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func printConformance(stdout io.Writer, report conformance.Report, verbose bool) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if verbose {
		fmt.Fprintln(w, "op\tcase\tkernel\tNMSE\tlimit\t")
		for _, r := range report.Results {
			fmt.Fprintf(w, "%s\t%s\t%s\t%.2g\t%.2g\t%s\n", r.Op, r.Case, r.Kernel, r.NMSE, r.Limit, verdict(r))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "op\tkernel\tcases\tfailed\tworst NMSE / limit")
	for _, s := range report.Summaries() {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.3g\n", s.Op, s.Kernel, s.Cases, s.Failed, s.Worst)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if report.Untaken > 0 {
		fmt.Fprintf(&b, "%d more cases are not taken\n", report.Untaken)
	}
	if !verbose {
		for _, r := range report.Failed() {
			fmt.Fprintf(&b, "FAILED %s %s on %s: %s\n", r.Op, r.Case, r.Kernel, r.Message)
		}
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}

func verdict(r conformance.Result) string {
	if r.Pass {
		return "ok"
	}
	return "FAILED: " + r.Message
}
