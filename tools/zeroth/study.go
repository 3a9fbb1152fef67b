package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"zeroth/internal/atomicfile"
	"zeroth/tools/report"
	"zeroth/tools/study"

	"github.com/urfave/cli/v2"
)

// The files that a study writes beside its cells.
const (
	studyTable = "study.csv"
	studyPage  = "study.html"
)

func studyCommand() *cli.Command {
	return &cli.Command{
		Name: "study", Usage: "compare ways to train by what they learn from a budget of forward rows",
		UsageText: "zeroth study SPEC.json --out FOLDER [flags]",
		Description: "SPEC.json names tasks (a program, and flags of zeroth train that say what is learned)\n" +
			"and methods (flags that say how, and a grid of more). The learning rate of each is\n" +
			"searched by the same rule; the best setting is run with several seeds:\n\n" +
			"  {\"rows\": 400000, \"seeds\": 5,\n" +
			"   \"tasks\": [{\"name\": \"SST-2\", \"program\": \"m.zpt\",\n" +
			"              \"flags\": {\"task\": \"sst2\", \"data\": \"train.tsv\", \"held-out\": \"dev.tsv\"}}],\n" +
			"   \"methods\": [{\"name\": \"P-RGE\", \"lr\": 3e-3, \"flags\": {\"estimator\": \"prge\"}, \"grid\": {\"q\": [1, 4]}},\n" +
			"               {\"name\": \"FZOO at a third\", \"lr\": 3e-3, \"share\": 0.33, \"flags\": {\"estimator\": \"fzoo\"}}]}\n\n" +
			"Also known: evaluations (of a run), searchSeeds, factor (between rates), baseline (a\n" +
			"method's name), and rows of a task, tasks of a method. A row is a token of one\n" +
			"perturbed copy. On a task of kind gradient the model stands still, and what counts as\n" +
			"loss is 1 - the cosine between the sum of the estimates and the true gradient of the\n" +
			"held-out loss: choose few values by --rank, --layers and --modules.\n\n" +
			"FOLDER gets cells (a file a run: a study that was ended goes on there), study.csv with\n" +
			"every evaluation, and study.html with the curves. The table goes to standard output.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "`FOLDER` for the results, new or of this study"},
			&cli.IntFlag{Name: "jobs", Usage: "`N` runs at once", Value: 1},
			&cli.StringFlag{Name: "beside", Usage: "`FILE.csv` of another study, or from elsewhere, whose methods are shown beside"},
			&cli.BoolFlag{Name: "json", Usage: "print the table as JSON", DisableDefaultText: true},
		}, engineFlags()...),
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "SPEC.json")
			if err != nil {
				return err
			}
			return runStudy(c, path)
		},
	}
}

func runStudy(c *cli.Context, path string) error {
	folder, jobs := c.String("out"), c.Int("jobs")
	switch {
	case folder == "":
		return usagef("--out is missing: the folder for the results")
	case jobs < 1 || jobs > 1024:
		return usagef("--jobs %d: must be 1 to 1024", jobs)
	}
	if _, err := readEngine(c); err != nil {
		return err
	}
	spec, err := readSpec(path)
	if err != nil {
		return err
	}
	others, err := readBeside(c.String("beside"), spec)
	if err != nil {
		return err
	}
	s := &study.Study{Spec: spec, Folder: folder, Jobs: jobs, Runner: &cellRunner{engine: engineArguments(c)}}
	if s.Contents, err = contentsOf(spec); err != nil {
		return err
	}
	s.Done = studyProgress(c.App.ErrWriter)
	outcomes, err := s.Run(c.Context)
	if err != nil {
		if c.Context.Err() != nil {
			return withHint(err, "the same command goes on where it was")
		}
		return err
	}
	rows := study.Table(slices.Concat(outcomes, others), spec.Baseline)
	if err := writeStudy(folder, spec, outcomes, rows); err != nil {
		return err
	}
	if c.Bool("json") {
		return printStudyJSON(c.App.Writer, rows)
	}
	return printStudy(c.App.Writer, folder, rows)
}

func readSpec(path string) (*study.Spec, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	spec, err := study.Read(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", path, err)}
	}
	return spec, nil
}

// readBeside reads outcomes to be shown beside a study's: those on its tasks. path
// may be empty.
func readBeside(path string, spec *study.Spec) ([]study.Outcome, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	outcomes, err := study.ReadCSV(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	outcomes = slices.DeleteFunc(outcomes, func(o study.Outcome) bool {
		return !slices.ContainsFunc(spec.Tasks, func(t study.Task) bool { return t.Name == o.Task })
	})
	for _, o := range outcomes {
		if slices.ContainsFunc(spec.Methods, func(m study.Method) bool { return m.Name == o.Method }) {
			return nil, usagef("%s: the study has a method %q, too: rename one of them", path, o.Method)
		}
	}
	if len(outcomes) == 0 {
		return nil, usagef("%s: none of its runs is on a task of the study", path)
	}
	return outcomes, nil
}

// engineArguments are the flags that say what the runs run on, as they were given.
func engineArguments(c *cli.Context) []string {
	var words []string
	for _, flag := range engineFlags() {
		name := flag.Names()[0]
		if !c.IsSet(name) {
			continue
		}
		list, several := c.Generic(name).(*libraries)
		if !several {
			words = append(words, "--"+name, fmt.Sprint(c.Value(name)))
			continue
		}
		for _, value := range list.arguments {
			words = append(words, "--"+name, value)
		}
	}
	return words
}

// contentsOf hashes what the runs of each task read.
func contentsOf(spec *study.Spec) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, task := range spec.Tasks {
		file, err := openProgram(task.Program)
		if err != nil {
			return nil, err
		}
		hashes := map[string]string{"program": fmt.Sprintf("%x", file.Program.Fingerprint)}
		file.Close()
		for _, name := range []string{"data", "held-out"} {
			path := string(task.Flags[name])
			if path == "" {
				return nil, usagef("task %s: the flag %s is missing", task.Name, name)
			}
			if hashes[name], err = fileHash(path); err != nil {
				return nil, err
			}
		}
		all[task.Name] = hashes
	}
	return all, nil
}

// studyProgress tells of runs as they end.
func studyProgress(out io.Writer) func(study.Result, bool) {
	return func(r study.Result, fresh bool) {
		if !fresh {
			return
		}
		end := "diverged"
		if !r.Diverged {
			end = fmt.Sprintf("loss %.4f", r.Final())
		}
		fmt.Fprintf(out, "%s, %s, lr %g, seed %d: %s after %d steps, %.0f s\n", r.Cell.Task, r.Cell.Method, r.Cell.LR, r.Cell.Seed, end, r.Steps, r.Seconds)
	}
}

func writeStudy(folder string, spec *study.Spec, outcomes []study.Outcome, rows []study.Row) error {
	err := atomicfile.Write(filepath.Join(folder, studyTable), func(file *os.File) error { return study.WriteCSV(file, outcomes) })
	if err != nil {
		return err
	}
	page := studyReport(folder, spec, rows)
	return atomicfile.Write(filepath.Join(folder, studyPage), func(file *os.File) error { return report.WriteStudy(file, page) })
}

// studyReport is the page of a study: a picture and a table for each task.
func studyReport(folder string, spec *study.Spec, rows []study.Row) report.Study {
	page := report.Study{Title: runTitle(folder)}
	for _, task := range spec.Tasks {
		p := report.StudyTask{Name: task.Name, Settings: task.Program + " " + task.Flags.Words(), Baseline: spec.Baseline}
		if task.Kind == study.KindGradient {
			p.Measure = "1 − cosine to the gradient"
		}
		for _, r := range rows {
			if r.Task != task.Name {
				continue
			}
			p.Methods = append(p.Methods, report.StudyMethod{
				Name: r.Method, Settings: fmt.Sprintf("%s --lr %g", r.Own(task.Flags).Words(), r.LR), Runs: len(r.Runs),
				Rows: r.Curve.Rows, Low: r.Curve.Low, Median: r.Curve.Median, High: r.Curve.Top,
				Final: r.Final(), Accuracy: r.Accuracy(), Saved: r.Saved,
			})
		}
		page.Tasks = append(page.Tasks, p)
	}
	return page
}

func printStudy(out io.Writer, folder string, rows []study.Row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "task\tmethod\tloss\tspread\taccuracy\trows\tas the baseline by\tlr\tsettings")
	for _, r := range rows {
		low, high := math.Inf(1), math.Inf(-1)
		for i := range r.Runs {
			low, high = min(low, r.Runs[i].Final()), max(high, r.Runs[i].Final())
		}
		accuracy, reach := "", "never"
		if a := r.Accuracy(); !math.IsNaN(a) {
			accuracy = fmt.Sprintf("%.1f %%", 100*a)
		}
		if !math.IsInf(r.ToBaseline, 1) {
			reach = fmt.Sprintf("%.0f (1/%.2f)", r.ToBaseline, r.Saved)
		}
		fmt.Fprintf(w, "%s\t%s\t%.4f\t%.4f-%.4f\t%s\t%.0f\t%s\t%g\t%s\n", r.Task, r.Method, r.Final(), low, high, accuracy, r.Rows, reach, r.LR, r.Flags.Words())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, filepath.Join(folder, studyPage))
	return err
}

func printStudyJSON(out io.Writer, rows []study.Row) error {
	type line struct {
		Task     string      `json:"task"`
		Method   string      `json:"method"`
		Flags    study.Flags `json:"flags"`
		LR       float64     `json:"lr"`
		Losses   []*float64  `json:"losses"` // at the end, by seed; null: diverged
		Accuracy *float64    `json:"accuracy,omitempty"`
		Rows     float64     `json:"rows"`
		Reached  *float64    `json:"rows_to_baseline,omitempty"`
	}
	finite := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	list := make([]line, 0, len(rows))
	for _, r := range rows {
		l := line{
			Task: r.Task, Method: r.Method, Flags: r.Flags, LR: r.LR, Rows: r.Rows,
			Accuracy: finite(r.Accuracy()), Reached: finite(r.ToBaseline),
		}
		for i := range r.Runs {
			l.Losses = append(l.Losses, finite(r.Runs[i].Final()))
		}
		list = append(list, l)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}
