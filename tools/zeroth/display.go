package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zeroth/internal/bytesize"
	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"

	"github.com/schollz/progressbar/v3"
)

// display shows a run: a bar where a person watches, lines otherwise, and one
// JSON object an event on standard output with --json. It keeps what the
// summary and the profile need.
type display struct {
	run     *trainRun
	bar     *progressbar.ProgressBar
	every   uint64
	smooth  float64 // exponential mean of the loss
	started time.Time
	stepped time.Time // when the first step began
	drawn   time.Time // when an evaluation was last drawn

	steps    uint64 // done by this process
	rows     int64
	training time.Duration // in steps, evaluations not counted

	first, last, best *evaluated
	tests             []*evaluated // of the last adapter, then of the best

	traffic traffic

	failed error // the first of standard output
}

// evaluated is an evaluation of the adapter as it was after a step.
type evaluated struct {
	Step uint64
	train.Evaluation
}

func newDisplay(r *trainRun) *display {
	return &display{run: r, smooth: math.NaN(), every: max(1, r.config.Steps/20)}
}

// redrawEvery is how often a bar is drawn at most.
const redrawEvery = 80 * time.Millisecond

// start tells what will be trained.
func (d *display) start() {
	r := d.run
	d.started = time.Now()
	s := r.model.Session()
	where := fmt.Sprintf("at %d sites", len(r.model.Sites()))
	if r.config.full() {
		where = fmt.Sprintf("of %d tensors", len(s.Program().Slots))
	}
	fmt.Fprintf(r.stderr, "training %d values %s: %d examples, q %d (%d copies a step), batch %d, %s, %d threads, arena %s%s\n",
		r.model.Parameters(), where, len(r.trainer.Train.Examples), r.config.Queries,
		d.copies(), r.config.Batch, r.config.Estimator, s.Threads(), bytesize.Format(s.ArenaBytes()), besideArena(delegateMemory(s), r.engine.Backend))
	if isTerminal(r.stderr) && !r.json {
		d.bar = progressbar.NewOptions64(int64(r.config.Steps), progressbar.OptionSetWriter(r.stderr),
			progressbar.OptionSetDescription("training"), progressbar.OptionSetPredictTime(false),
			progressbar.OptionShowCount(), progressbar.OptionFullWidth(), progressbar.OptionThrottle(redrawEvery))
	}
}

// recall takes from a resumed run's journal what the summary needs.
func (d *display) recall(log *journal.Log, heldOut *data.Set) {
	for _, record := range log.Evals {
		if record.Kind != journal.EvalHeldOut || heldOut == nil {
			continue
		}
		d.last = &evaluated{record.Step, train.Recorded(record, heldOut.Deciding(), heldOut.Text)}
		if record.Step == 0 {
			d.first = d.last
		}
	}
}

// Replayed shows how a resumed run repeats its journal.
func (d *display) Replayed(done, total uint64) {
	if d.bar != nil {
		d.bar.Describe("replaying")
		_ = d.bar.Set64(int64(done))
	} else if done == total {
		fmt.Fprintf(d.run.stderr, "replayed %d steps from the journal\n", total)
	}
}

// Step shows a step.
func (d *display) Step(r train.StepReport) {
	if d.steps == 0 {
		d.stepped = time.Now().Add(-r.Duration)
	}
	d.steps++
	d.rows += int64(r.Rows)
	up, down := d.traffic.look(d.run.model.Session(), true)
	d.training += r.Duration
	if math.IsNaN(d.smooth) {
		d.smooth = r.Loss
	}
	d.smooth += 0.05 * (r.Loss - d.smooth)
	switch {
	case d.run.json:
		event := map[string]any{"event": "step", "step": r.Step, "loss": r.Loss, "lr": r.LR, "rows": r.Rows, "seconds": r.Duration.Seconds()}
		if up+down > 0 {
			event["moved_up"], event["moved_down"] = up, down
		}
		d.event(event)
	case d.bar != nil:
		d.bar.Describe(fmt.Sprintf("loss %.4f  %s  ETA %s", d.smooth, d.speed(), d.left(r)))
		_ = d.bar.Set64(int64(r.Step))
	case r.Step%d.every == 0 || r.Step == r.Steps:
		fmt.Fprintf(d.run.stderr, "step %d/%d  loss %.4f  %s  ETA %s\n", r.Step, r.Steps, d.smooth, d.speed(), d.left(r))
	}
}

// left is the time that the rest of the run takes if it goes on as since the
// first step, evaluations counted.
func (d *display) left(r train.StepReport) time.Duration {
	each := float64(time.Since(d.stepped)) / float64(d.steps)
	return time.Duration(each * float64(r.Steps-r.Step)).Round(time.Second)
}

// speed is how many tokens of the batch go forward in a second, and how often
// each: once for every copy.
func (d *display) speed() string {
	copies := d.copies()
	return fmt.Sprintf("%.0f tokens/s × %d", d.rowsPerSecond()/float64(copies), copies)
}

// copies is how often the rows of a batch go forward in a step.
func (d *display) copies() int {
	s := &d.run.trainer.Settings
	return s.Estimator.Passes(s.Queries)
}

func (d *display) rowsPerSecond() float64 {
	if d.training == 0 {
		return 0
	}
	return float64(d.rows) / d.training.Seconds()
}

// Evaluating shows the progress of an evaluation.
func (d *display) Evaluating(done, total int) {
	if d.bar != nil && time.Since(d.drawn) >= redrawEvery {
		d.drawn = time.Now()
		d.bar.Describe(fmt.Sprintf("evaluating %d/%d", done, total))
	}
}

// Evaluated shows an evaluation.
func (d *display) Evaluated(step uint64, e train.Evaluation, best bool) {
	d.traffic.look(d.run.model.Session(), false)
	d.last = &evaluated{step, e}
	if step == 0 {
		d.first = d.last
	}
	if d.run.json {
		d.event(d.last.fields(map[string]any{"event": "eval", "step": step, "best": best}))
		return
	}
	if d.bar != nil {
		_ = d.bar.Clear()
	}
	mark := ""
	if best && step > 0 {
		mark = "  (best so far)"
	}
	fmt.Fprintf(d.run.stderr, "held-out after step %d: %s%s\n", step, d.last, mark)
}

// Tested shows an evaluation on test data.
func (d *display) Tested(step, of uint64, e train.Evaluation) {
	d.tests = append(d.tests, &evaluated{of, e})
	if d.run.json {
		d.event(d.tests[len(d.tests)-1].fields(map[string]any{"event": "test", "step": step, "adapter_step": of, "adapter": d.adapterOf(of)}))
	}
}

// adapterOf says which of a run's adapters was tested.
func (d *display) adapterOf(step uint64) string {
	last := step == d.run.config.Steps
	switch best := d.best != nil && d.best.Step == step; {
	case best && last:
		return "best and last"
	case best:
		return "best"
	default:
		return "last"
	}
}

// shares lists an evaluation's scores by name.
func (e *evaluated) shares() []share {
	all := []share{
		{"accuracy", "accuracy", e.Scores.Accuracy}, {"f1", "F1", e.Scores.F1}, {"exact_match", "exact match", e.Scores.ExactMatch},
	}
	return slices.DeleteFunc(all, func(s share) bool { return math.IsNaN(s.value) })
}

// share is a score, 0 … 1.
type share struct {
	key, name string
	value     float64
}

// fields adds the evaluation to what JSON shows.
func (e *evaluated) fields(to map[string]any) map[string]any {
	to["loss"], to["examples"] = e.Loss, e.Tally.Examples
	for _, s := range e.shares() {
		to[s.key] = s.value
	}
	return to
}

func (e *evaluated) String() string {
	text := fmt.Sprintf("loss %.4f", e.Loss)
	if e.Text {
		text += fmt.Sprintf("  perplexity %.3f", math.Exp(e.Loss))
	}
	shares := e.shares()
	for i := len(shares) - 1; i >= 0; i-- {
		text = fmt.Sprintf("%s %.1f %%  ", shares[i].name, 100*shares[i].value) + text
	}
	return text
}

// KeepBest writes the best adapter so far, or notes the step of the best weights.
func (d *display) KeepBest(step uint64, e train.Evaluation) error {
	d.best = &evaluated{step, e}
	return d.run.writeAdapter(bestName)
}

func (d *display) event(fields map[string]any) {
	line, err := json.Marshal(fields)
	if err != nil {
		line = []byte(`{"event":"error"}`) // NaN cannot be written; the run stops on it anyway
	}
	if _, err := fmt.Fprintf(d.run.stdout, "%s\n", line); err != nil && d.failed == nil {
		d.failed = err
	}
}

func (d *display) finish() {
	if d.bar != nil {
		_ = d.bar.Clear()
	}
}

// whereResult says where the result is, or how it is rebuilt: all the weights
// are written only where somebody asks for them.
func (d *display) whereResult(out io.Writer) {
	r := d.run
	if !r.config.full() {
		fmt.Fprintf(out, "adapter %s\n", filepath.Join(r.folder, lastName))
		if d.best != nil {
			fmt.Fprintf(out, "best    %s\n", filepath.Join(r.folder, bestName))
		}
	}
	fmt.Fprintf(out, "journal %s\n", filepath.Join(r.folder, journalName))
	if !r.config.full() {
		return
	}
	replay := fmt.Sprintf("zeroth replay %s --journal %s", r.config.Program, r.folder)
	if d.best != nil && d.best.Step != r.writer.Last() {
		fmt.Fprintf(out, "best    %s --steps %d --out best.zpt\n", replay, d.best.Step)
	}
	fmt.Fprintf(out, "program %s --out tuned.zpt\n", replay)
}

// summary says what came of the run, on standard output, and gives the first
// error of writing there.
func (d *display) summary(stopped bool) error {
	r := d.run
	if r.json {
		end := map[string]any{
			"event": "end", "steps": r.writer.Last(), "interrupted": stopped,
			"seconds": time.Since(d.started).Seconds(), "rows_per_second": d.rowsPerSecond(),
		}
		if r.cache != nil {
			end["prefix_cache"] = r.cached()
		}
		d.traffic.addTo(end, r.model.Session())
		switch {
		case !r.config.full():
			end["adapter"] = filepath.Join(r.folder, lastName)
		case d.best != nil:
			end["best_step"] = d.best.Step
		}
		d.event(end)
		return d.failed
	}
	out := &strings.Builder{}
	if d.first != nil {
		fmt.Fprintf(out, "before  %s\n", d.first)
	}
	if d.last != nil && d.last.Step > 0 {
		fmt.Fprintf(out, "after   %s  (step %d)\n", d.last, d.last.Step)
	}
	if d.best != nil && d.last != nil && d.best.Step != d.last.Step {
		fmt.Fprintf(out, "best    %s  (step %d)\n", d.best, d.best.Step)
	}
	for _, e := range d.tests {
		fmt.Fprintf(out, "test    %s  (%s %s, step %d; %d examples)\n", e, d.adapterOf(e.Step), r.config.product(), e.Step, e.Tally.Examples)
	}
	if d.steps == 0 && !stopped {
		fmt.Fprintf(out, "all %d steps were done already\n", r.writer.Last())
	} else {
		fmt.Fprintf(out, "%d steps in %s, %s\n", d.steps, time.Since(d.started).Round(100*time.Millisecond), d.speed())
	}
	if r.cache != nil {
		r.cached().print(out)
	}
	d.traffic.print(out, r.engine.Backend, r.model.Session())
	d.whereResult(out)
	if r.table {
		if err := printOps(out, r.profile().Ops); err != nil {
			return err
		}
	}
	_, err := io.WriteString(r.stdout, out.String())
	return err
}
