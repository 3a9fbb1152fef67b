package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"zeroth/internal/atomicfile"
	"zeroth/internal/bytesize"
	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
	"zeroth/tools/report"

	"github.com/urfave/cli/v2"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "write a run as one HTML page: curves, settings, time and memory", UsageText: "zeroth report RUN [flags]",
		Flags: []cli.Flag{&cli.StringFlag{Name: "out", Usage: "`FILE` to write", DefaultText: "report.html in the run's folder"}},
		Action: func(c *cli.Context) error {
			folder, err := oneArgument(c, "RUN")
			if err != nil {
				return err
			}
			return runReport(folder, c.String("out"), c.App.Writer)
		},
	}
}

func runReport(folder, out string, stdout io.Writer) error {
	if out == "" {
		out = filepath.Join(folder, reportName)
	} else if err := checkTarget("--out", out); err != nil {
		return err
	}
	if err := refuseOverwriting(out, runFiles(folder)...); err != nil {
		return err
	}
	page, err := collectReport(folder)
	if err != nil {
		return err
	}
	err = atomicfile.Write(out, func(file *os.File) error { return report.Write(file, page) })
	if err == nil {
		_, err = fmt.Fprintln(stdout, out)
	}
	return err
}

// collectReport reads a run's folder. The journal alone is enough; run.json
// and profile.json, which an interrupted run may lack, add to it.
func collectReport(folder string) (report.Data, error) {
	log, err := journal.Read(filepath.Join(folder, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		err = withHint(err, folder+" does not look like the folder of a run")
	}
	if err != nil {
		return report.Data{}, err
	}
	d := report.Data{Title: runTitle(folder), Settings: settingsOf(&log.Header)}
	for _, s := range log.Steps {
		square := 0.0
		for _, g := range s.ProjGrads {
			square += float64(g) * float64(g)
		}
		d.Steps = append(d.Steps, report.Step{
			Number: int(s.Number), Loss: float64(s.Loss), LR: float64(s.LR),
			ProjGradNorm: math.Sqrt(square / float64(len(s.ProjGrads))),
		})
	}
	if err := addEvals(&d, log); err != nil {
		return d, err
	}
	var config runConfig
	switch err := readJSON(filepath.Join(folder, configName), &config); {
	case err == nil:
		d.Text = config.Task.isText()
		d.Settings = append([]report.Pair{{Name: "program", Value: config.Program}, {Name: "data", Value: config.Data}, {Name: "held-out", Value: config.HeldOut}}, d.Settings...)
	case !errors.Is(err, fs.ErrNotExist):
		return d, err
	}
	var profile runProfile
	switch err := readJSON(filepath.Join(folder, profileName), &profile); {
	case err == nil:
		addProfile(&d, &profile)
	case !errors.Is(err, fs.ErrNotExist):
		return d, err
	}
	addFacts(&d)
	return d, nil
}

// runTitle names a run by its folder, also where that is called ".".
func runTitle(folder string) string {
	if whole, err := filepath.Abs(folder); err == nil {
		folder = whole
	}
	return filepath.Base(folder)
}

func settingsOf(h *journal.Header) []report.Pair {
	settings := []report.Pair{
		{Name: "seed", Value: fmt.Sprint(h.Seed)},
		{Name: "q", Value: fmt.Sprint(h.Q)},
		{Name: "eps", Value: fmt.Sprint(h.Eps)},
	}
	if h.Settings[paramsSetting] == paramsFull {
		settings = append(settings, report.Pair{Name: "trained tensors", Value: fmt.Sprint(len(h.Sites))})
	} else {
		settings = append(settings,
			report.Pair{Name: "rank", Value: fmt.Sprint(h.Rank)},
			report.Pair{Name: "alpha", Value: fmt.Sprint(h.Alpha)},
			report.Pair{Name: "LoRA sites", Value: fmt.Sprint(len(h.Sites))})
	}
	keys := make([]string, 0, len(h.Settings))
	for key := range h.Settings {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		settings = append(settings, report.Pair{Name: key, Value: h.Settings[key]})
	}
	return settings
}

// metricTitles name a metric for people.
var metricTitles = map[data.Metric]string{
	data.Accuracy: "accuracy", data.F1: "F1", data.MacroF1: "macro-F1", data.ExactMatch: "exact match",
}

// addEvals adds the evaluations on held-out data, and as facts those on test
// data: of the last end of the run, if it was trained on several times.
func addEvals(d *report.Data, log *journal.Log) error {
	deciding := data.Accuracy
	if name, ok := log.Header.Settings[metricSetting]; ok {
		var err error
		if deciding, err = data.ParseMetric(name); err != nil {
			return err
		}
	}
	d.Score = metricTitles[deciding]
	best := train.Best(log.Evals, deciding)
	for i, e := range log.Evals {
		r := &evaluated{e.Of, train.Recorded(e, deciding, false)}
		if e.Kind == journal.EvalHeldOut {
			d.Evals = append(d.Evals, report.Eval{
				Step: int(e.Step), Loss: e.Loss, Accuracy: r.Scores.Of(deciding), Examples: int(e.Examples), Best: i == best,
			})
		}
		if e.Kind != journal.EvalTest || e.Step != uint64(len(log.Steps)) {
			continue
		}
		name := "test, last adapter"
		if best >= 0 && log.Evals[best].Step == e.Of {
			name = "test, best adapter"
			if e.Of == e.Step {
				name = "test, best and last adapter"
			}
		}
		d.Facts = append(d.Facts, report.Pair{Name: name, Value: fmt.Sprintf("%s (step %d, %d examples)", r, e.Of, e.Examples)})
	}
	return nil
}

func addProfile(d *report.Data, p *runProfile) {
	for _, o := range p.Ops {
		d.Ops = append(d.Ops, report.OpTime{Op: o.Op, Kernel: o.Kernel, Nodes: o.Nodes, Runs: o.Runs, Seconds: o.Seconds})
	}
	d.Plan = &report.Plan{Method: p.Plan.Method, Bytes: p.Plan.Bytes, LowerBound: p.Plan.LowerBound, Nodes: p.Plan.Nodes}
	for _, item := range p.Plan.Items {
		d.Plan.Items = append(d.Plan.Items, report.Item{Name: item.Name, Offset: item.Offset, Bytes: item.Bytes, First: item.First, Last: item.Last})
	}
	if m := p.Device; m != nil {
		d.Facts = append(d.Facts,
			report.Pair{Name: "memory on " + p.Backend, Value: bytesize.Format(m.Total())},
			report.Pair{Name: "moved in a step", Value: fmt.Sprintf("%s there, %s back", bytesize.Format(p.StepMovedUp), bytesize.Format(p.StepMovedDown))})
	}
	d.Facts = append(d.Facts,
		report.Pair{Name: "speed", Value: fmt.Sprintf("%.0f rows/s, threads: %d", p.RowsPerSecond, p.Threads)},
		report.Pair{Name: "peak resident memory", Value: bytesize.Format(p.PeakBytes)},
		report.Pair{Name: "arena", Value: bytesize.Format(p.ArenaBytes)},
		report.Pair{Name: "weights", Value: bytesize.Format(p.ConstantBytes)})
}

// bestFact tells the best evaluation where it is not the last.
func bestFact(e report.Eval) string {
	if math.IsNaN(e.Accuracy) {
		return fmt.Sprintf("loss %.4f at step %d", e.Loss, e.Step)
	}
	return fmt.Sprintf("%.1f %% at step %d", 100*e.Accuracy, e.Step)
}

// addFacts puts what the run achieved first.
func addFacts(d *report.Data) {
	facts := []report.Pair{{Name: "steps", Value: fmt.Sprint(len(d.Steps))}}
	if n := len(d.Evals); n > 0 {
		first, last := d.Evals[0], d.Evals[n-1]
		facts = append(facts, report.Pair{Name: "held-out loss", Value: fmt.Sprintf("%.4f → %.4f", first.Loss, last.Loss)})
		if !math.IsNaN(last.Accuracy) {
			facts = append(facts, report.Pair{Name: "held-out " + d.Score, Value: fmt.Sprintf("%.1f %% → %.1f %%", 100*first.Accuracy, 100*last.Accuracy)})
		}
		if i := slices.IndexFunc(d.Evals, func(e report.Eval) bool { return e.Best }); i != n-1 {
			facts = append(facts, report.Pair{Name: "best held-out", Value: bestFact(d.Evals[i])})
		}
		if d.Text {
			facts = append(facts, report.Pair{Name: "perplexity", Value: fmt.Sprintf("%.3f → %.3f", math.Exp(first.Loss), math.Exp(last.Loss))})
		}
	}
	d.Facts = append(facts, d.Facts...)
}
