package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"zeroth/kernels/cpu"
	"zeroth/tools/bench"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
)

func benchCommand() *cli.Command {
	return group("bench", "measure kernels and steps against ceilings and references",
		"What is compared runs in turn in one process, and what is printed is a ratio of the same round:\n"+
			"other programs on the machine slow down both. Results are compared with the plain kernels'\n"+
			"before anything is timed.",
		benchGEMMCommand(), benchOpsCommand(), benchForwardCommand(), benchStepCommand(), benchFidelityCommand(), benchPocketLLMCommand())
}

// benchFlags are those of all the group's commands.
func benchFlags(seconds float64, per string) []cli.Flag {
	return []cli.Flag{
		&cli.Float64Flag{Name: "seconds", Value: seconds, Usage: "measure for about `S` seconds " + per},
		&cli.IntFlag{Name: "threads", Usage: "number of threads `N`", DefaultText: "all cores"},
		cpusFlag(),
		&cli.BoolFlag{Name: "json", Usage: "print the results as JSON", DisableDefaultText: true},
	}
}

// measuring is how all the group's commands measure.
type measuring struct {
	Budget  time.Duration
	Workers bench.Workers
	JSON    bool
}

func readMeasuring(c *cli.Context) (measuring, error) {
	m := measuring{Workers: bench.Workers{Threads: c.Int("threads")}, JSON: c.Bool("json")}
	seconds := c.Float64("seconds")
	if !(seconds >= 0 && seconds <= 3600) {
		return m, usagef("--seconds %g: must be 0 to 3600", seconds)
	}
	m.Budget = time.Duration(seconds * float64(time.Second))
	if n := m.Workers.Threads; n < 0 || n > 1024 {
		return m, usagef("--threads %d: must be 0 to 1024", n)
	}
	var err error
	m.Workers.CPUs, err = readCPUs(c)
	return m, err
}

// machine describes this machine for the head of a table.
func (m measuring) machine() (bench.Machine, error) {
	features, err := cpu.DetectLimited()
	if err != nil {
		return bench.Machine{}, usageError{err}
	}
	return bench.ThisMachine(features, m.Workers)
}

// show prints a report, as JSON or as the text that print makes.
func (m measuring) show(stdout io.Writer, report any, print func(w *strings.Builder) error) error {
	if m.JSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	var b strings.Builder
	if err := print(&b); err != nil {
		return err
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}

func printMachine(b *strings.Builder, m bench.Machine) {
	fmt.Fprintf(b, "%s, %s, %s, %s, threads: %d\n", m.Processor, m.System, m.Level, m.Go, m.Threads)
}

// table writes rows of cells, each ended by a tab, under a head. Cells stand to the
// right; what follows the last tab begins two columns after it.
func table(b *strings.Builder, head string, rows []string) error {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\n"+head)
	for _, row := range rows {
		fmt.Fprintln(w, row)
	}
	return w.Flush()
}

// giga prints operations or bytes a second in units of 1e9.
func giga(perSecond float64) string {
	if perSecond == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", perSecond/1e9)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// watch shows what is being measured: a bar for a person, else a line for each.
func watch(stderr io.Writer) (progress func(done, total int, what string), finish func()) {
	if !isTerminal(stderr) {
		return func(done, total int, what string) {
			fmt.Fprintf(stderr, "measuring %d/%d  %s\n", done+1, total, what)
		}, func() {}
	}
	var bar *progressbar.ProgressBar
	progress = func(done, total int, what string) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(stderr), progressbar.OptionClearOnFinish(),
				progressbar.OptionSetWidth(20), progressbar.OptionSetPredictTime(false))
		}
		bar.Describe(what)
		_ = bar.Set(done) // a terminal that cannot be drawn to is no reason to stop
	}
	return progress, func() {
		if bar != nil {
			_ = bar.Clear()
		}
	}
}
