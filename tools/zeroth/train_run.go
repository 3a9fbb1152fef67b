package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"zeroth/graph/pass"
	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/prefix"
	"zeroth/mpzo/train"
	"zeroth/runtime/op"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

// trainRun is a run of the train command, from flags to a bound trainer.
type trainRun struct {
	folder   string
	config   runConfig
	engine   engine
	json     bool
	trace    bool
	table    bool // print the profile
	resuming bool
	fallback string // what goes on where the device fails: fallbackCPU, or nothing
	stdout   io.Writer
	stderr   io.Writer

	file    *program.File
	cut     *pass.Cut     // where the program is cut for the prefix cache, or nil
	below   string        // the nodes below the cut
	cache   *prefix.Cache // nil without one
	model   *train.Model
	trainer *train.Trainer
	writer  *journal.Writer
	pacer   *pacer
	display *display
}

func newTrainRun(c *cli.Context) (*trainRun, error) {
	r := &trainRun{stdout: c.App.Writer, stderr: c.App.ErrWriter, json: c.Bool("json"), trace: c.Bool("trace"), table: c.Bool("profile")}
	var err error
	if r.engine, err = readEngine(c); err != nil {
		return nil, err
	}
	if r.pacer, err = readPacer(c); err != nil {
		return nil, err
	}
	if r.fallback, err = readFallback(c); err != nil {
		return nil, err
	}
	if c.IsSet("resume") {
		err = r.configureResume(c)
	} else {
		err = r.configure(c)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// configure reads the flags of a new run.
func (r *trainRun) configure(c *cli.Context) error {
	path, err := oneArgument(c, "PROGRAM")
	if err != nil {
		return err
	}
	r.folder = c.String("out")
	look, err := readEstimation(c)
	if err != nil {
		return err
	}
	r.config = runConfig{
		Program: path, Data: c.String("data"), HeldOut: c.String("held-out"), Test: c.String("test"), Adapter: c.String("adapter"),
		Task: readTaskOptions(c), Steps: c.Uint64("steps"), Batch: c.Int("batch"),
		Schedule: c.String("schedule"), Seed: c.Uint64("seed"), EvalEvery: c.Uint64("eval-every"),
		Warmup: c.Uint64("warmup"), Moves: readMoves(c),
	}
	if err := r.config.choose(look, c); err != nil {
		return err
	}
	if err := r.config.chooseInitA(c); err != nil {
		return err
	}
	if err := r.config.choosePrefix(c); err != nil {
		return err
	}
	if err := r.config.check(r.folder); err != nil {
		return err
	}
	if c.IsSet("data-seed") && r.config.Task.Shots == 0 {
		return usagef("--data-seed needs --k-shot: it picks the examples")
	}
	if _, err := r.settings(data.TokenLoss); err != nil {
		return usageError{err}
	}
	if err := r.openProgram(); err != nil {
		return err
	}
	lora, err := r.chooseLoRA(c)
	if err != nil {
		return err
	}
	return r.link(lora)
}

// readMoves reads the flags that say how B moves.
func readMoves(c *cli.Context) train.Moves {
	moves := train.Moves{
		Optimizer: c.String("optimizer"), Momentum: float32(c.Float64("momentum")),
		Clip: float32(c.Float64("clip")), Normalise: c.Bool("normalise"),
	}
	if !moves.Averages() {
		moves.Optimizer = ""
	} else if !c.IsSet("momentum") {
		moves.Momentum = train.DefaultMomentum
	}
	return moves
}

// chooseLoRA takes the program's LoRA, or that of the adapter to start from,
// and overlays the flags.
func (r *trainRun) chooseLoRA(c *cli.Context) (pass.LoRA, error) {
	lora, err := loraOf(r.file.Program)
	if err != nil {
		return lora, err
	}
	if r.config.Adapter == "" {
		return lora, applyLoRAFlags(c, &lora)
	}
	for _, name := range []string{"rank", "alpha", "modules", "layers"} {
		if c.IsSet(name) {
			return lora, usagef("--%s and --adapter exclude each other: the adapter's own hold", name)
		}
	}
	if err := applyLoRAFlags(c, &lora); err != nil { // the sampler
		return lora, err
	}
	return adapterLoRA(r.config.Adapter, lora)
}

// link makes the program trainable, loads the data and binds the model.
func (r *trainRun) link(lora pass.LoRA) error {
	base := r.file.Program
	lora.Alpha = shortAlpha(lora.Alpha)
	linked, err := trainable(r.config.Params, r.file.Program, lora)
	switch {
	case err == nil:
	case r.config.full():
		return err
	case r.config.Adapter != "":
		return otherModel(r.config.Adapter, err)
	case r.resuming:
		return fmt.Errorf("%s: %w", filepath.Join(r.folder, configName), err)
	default:
		return usageError{err}
	}
	if linked, err = r.cutPrefix(linked); err != nil {
		return err
	}
	sets, err := r.loadData(base)
	if err != nil {
		return err
	}
	if r.config.full() && sets.heldOut != nil && sets.test != nil {
		return withHint(usagef("--test and held-out data exclude each other with --params full: the best weights are not kept"),
			"rebuild the best with zeroth replay, and measure it with zeroth eval")
	}
	if have := len(sets.train.Examples); have < r.config.Batch {
		fmt.Fprintf(r.stderr, "zeroth: notice: %d examples for a batch of %d: some come more than once in a step\n", have, r.config.Batch)
	}
	loss, err := r.config.Task.lossOf(sets.train)
	if err != nil {
		return err
	}
	settings, err := r.settings(loss)
	if err != nil {
		return usageError{err}
	}
	settings.Normalise = choiceScore(base, sets.train, loss, r.stderr)
	bounds, err := sets.bounds(loss, settings.Batch)
	if err != nil {
		return err
	}
	q := settings.Queries
	engine := r.engine
	if settings.Moves.Averages() {
		// What these optimizers keep is on the host: so is B while it moves, and
		// goes to the device once a step.
		engine.onHost = []string{train.MethodUpdate}
	}
	methods := train.Methods(settings.Estimator)
	if r.cut != nil {
		methods = append(methods, pass.MethodPrefix)
	}
	if linked, err = withMethodOf(settings.Estimator, linked); err != nil {
		return err
	}
	s, err := engine.session(linked, train.Bounds(bounds, settings.Estimator.Copies(q), q), true, methods...)
	if err != nil {
		return r.fitting(err, linked, methods, func(batch, q int) (op.Extents, error) {
			bounds, err := sets.bounds(loss, batch)
			return train.Bounds(bounds, settings.Estimator.Copies(q), q), err
		}, settings.Batch, q)
	}
	if r.model, err = train.NewModel(s); err != nil {
		s.Close()
		return err
	}
	if err := generateWith(r.model, r.engine, settings.Batch, sets.heldOut, sets.test); err != nil {
		return err
	}
	r.config.LoRA = loraSelection{Rank: lora.Rank, Alpha: lora.Alpha, Sampler: lora.Sampler.String()}
	if r.config.full() {
		r.config.LoRA.Rank, r.config.LoRA.Alpha = 1, 1 // of each weight as a whole
	}
	for _, site := range r.model.Sites() {
		r.config.LoRA.Sites = append(r.config.LoRA.Sites, site.Name)
	}
	r.trainer = &train.Trainer{Model: r.model, Settings: settings, Train: sets.train, HeldOut: sets.heldOut, Test: sets.test}
	return nil
}

// dataSets are what a run reads; heldOut and test may be nil.
type dataSets struct{ train, heldOut, test *data.Set }

// bounds are the sizes of the largest batch of any.
func (d dataSets) bounds(loss data.Loss, batch int) (data.Bounds, error) {
	bounds, err := train.StepBounds(d.train, loss, batch)
	for _, set := range []*data.Set{d.heldOut, d.test} {
		if set == nil || err != nil {
			continue
		}
		var more data.Bounds
		more, err = train.EvaluationBounds(set, loss, batch)
		bounds = bounds.Max(more)
	}
	return bounds, err
}

func (r *trainRun) settings(loss data.Loss) (train.Settings, error) {
	c := &r.config
	s := train.Settings{
		Seed: c.Seed, Steps: c.Steps, Batch: c.Batch, Queries: c.Queries, Eps: c.Eps, LR: c.LR,
		Loss: loss, EvalEvery: c.EvalEvery, Warmup: c.Warmup, Moves: c.Moves,
	}
	var err error
	if s.Schedule, err = train.ParseSchedule(c.Schedule); err != nil {
		return s, err
	}
	if s.Estimator, err = train.FindEstimator(c.Estimator); err != nil {
		return s, err
	}
	return s, s.Check()
}

func (r *trainRun) openProgram() error {
	open := openProgram
	if r.config.full() {
		open = openWritable
	}
	var err error
	r.file, err = open(r.config.Program)
	return err
}

func (r *trainRun) loadData(p *program.Program) (sets dataSets, err error) {
	task := &r.config.Task
	if task.Shots > 0 {
		sets.train, sets.heldOut, err = task.loadShots(r.config.Data, p)
	} else {
		sets.train, err = task.load(r.config.Data, p)
	}
	if err == nil && r.config.HeldOut != "" {
		sets.heldOut, err = task.loadEvaluation(r.config.HeldOut, p)
	}
	if err == nil && r.config.Test != "" {
		sets.test, err = task.loadEvaluation(r.config.Test, p)
	}
	if err != nil {
		return sets, err
	}
	for _, set := range []*data.Set{sets.train, sets.heldOut, sets.test} {
		noticeChanges(r.stderr, set)
	}
	if want, have := task.Shots*len(sets.train.Labels), len(sets.train.Examples); have < want {
		fmt.Fprintf(r.stderr, "zeroth: notice: %s: %d examples where --k-shot asks for %d: a label has fewer rows\n", r.config.Data, have, want)
	}
	return sets, nil
}

// run trains, and leaves the folder whole however it ends.
func (r *trainRun) run(ctx context.Context) error {
	// A cache elsewhere that cannot be had leaves no run behind; that in the run's
	// folder is for whoever has the journal.
	first, second := r.begin, r.openPrefix
	if r.config.PrefixDir != "" {
		first, second = second, first
	}
	if err := first(ctx); err != nil {
		return err
	}
	if err := second(ctx); err != nil {
		return err
	}
	r.display = newDisplay(r)
	r.trainer.Observer, r.trainer.Pace = r.display, r.pace
	if lowered, err := r.pacer.lower(); err != nil {
		return err
	} else if lowered != "" {
		fmt.Fprintf(r.stderr, "zeroth: notice: low priority: %s\n", lowered)
	}
	r.display.recall(r.trainer.Log, r.trainer.HeldOut)
	r.display.start()
	err := r.trainer.Run(ctx)
	r.display.finish()
	stopped := errors.Is(err, context.Canceled)
	if err == nil || stopped {
		err = r.save()
	}
	if err != nil && r.canFallBack(err) && ctx.Err() == nil {
		return r.fallBack(ctx, err)
	}
	if err != nil {
		return r.explain(err)
	}
	err = r.display.summary(stopped)
	if stopped {
		return withHint(interrupted{fmt.Sprintf("interrupted after step %d, all is saved", r.writer.Last())}, "go on with: zeroth train --resume "+r.folder)
	}
	return err
}

// explain adds what a user can do about a failed run.
func (r *trainRun) explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		room := "make room"
		if r.cache != nil {
			room += " (the prefix cache can be deleted)"
		}
		return withHint(err, "every step up to there is saved: "+room+", then go on with: zeroth train --resume "+r.folder)
	case deviceFailed(err):
		return withHint(err, "every step up to there is saved: go on by the CPU with: zeroth train --resume "+r.folder+" --backend cpu")
	case errors.Is(err, train.ErrDiverged):
		return withHint(err, fmt.Sprintf("zeroth replay %s --journal %s --out NEW rebuilds the %s as it was", r.config.Program, r.folder, r.config.product()))
	}
	return err
}

// begin brings the model to where the run begins and makes the folder and the
// journal, or opens those of a run to resume.
func (r *trainRun) begin(ctx context.Context) error {
	if err := errors.Join(r.noteArithmetic(), r.noteStorage()); err != nil {
		return err
	}
	begun := r.resuming && isBegun(r.folder)
	if err := r.model.Init(r.config.Seed); err != nil {
		return err
	}
	if !begun {
		if err := r.chooseA(ctx); err != nil {
			return err
		}
	}
	if start := r.startFolder(); start != "" {
		if err := loadAdapter(r.model, start); err != nil {
			return err
		}
	}
	header, err := r.header()
	if err != nil {
		return err
	}
	config := filepath.Join(r.folder, configName)
	if begun {
		if err := r.reopen(header); err != nil {
			return err
		}
		if err := r.clean(); err != nil {
			return err
		}
		return writeJSON(config, r.config) // --steps may be new
	}
	if err := os.MkdirAll(r.folder, 0o777); err != nil {
		return err
	}
	// The settings go first: a run that is killed between the two can be resumed.
	if err := writeJSON(config, r.config.absolute()); err != nil {
		return err
	}
	if err := r.createJournal(header); err != nil || !r.resuming {
		return err
	}
	return r.clean()
}

// createJournal makes the journal of a new run, or of one that was killed
// before it had any.
func (r *trainRun) createJournal(header journal.Header) error {
	path := filepath.Join(r.folder, journalName)
	if r.resuming {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	writer, err := journal.Create(path, header)
	if errors.Is(err, fs.ErrExist) {
		return holdsRun(r.folder)
	}
	if err != nil {
		return err
	}
	r.writer = writer
	r.trainer.Journal, r.trainer.Log = writer, &journal.Log{Header: header}
	return nil
}

// close closes what the run has open, once.
func (r *trainRun) close() {
	if r.writer != nil {
		if err := r.writer.Close(); err != nil {
			fmt.Fprintf(r.stderr, "zeroth: error: closing the journal: %v\n", err)
		}
	}
	if r.model != nil {
		r.model.Close()
	}
	if r.cache != nil {
		if err := r.cache.Close(); err != nil {
			fmt.Fprintf(r.stderr, "zeroth: notice: closing the prefix cache: %v\n", err)
		}
	}
	if r.file != nil {
		r.file.Close()
	}
	r.writer, r.model, r.cache, r.file = nil, nil, nil, nil
}
