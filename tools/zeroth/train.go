package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func trainCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "training `FILE` (.jsonl, .tsv, .csv, .json of SQuAD, .txt)"},
		&cli.StringFlag{Name: "held-out", Usage: "`FILE` to evaluate on; the best adapter is chosen by it"},
		&cli.StringFlag{Name: "test", Usage: "`FILE` to evaluate on at the end, with the best adapter and with the last; it chooses nothing"},
		&cli.StringFlag{Name: "out", Usage: "new `FOLDER` for the run", Value: "zeroth-run"},
		&cli.StringFlag{Name: "resume", Usage: "go on with the run in `FOLDER`, with its own settings"},
		&cli.StringFlag{Name: "adapter", Usage: "start from the PEFT adapter in `FOLDER`, with its rank, alpha and sites"},
		&cli.StringFlag{Name: "init-a", Usage: "how LoRA's A is chosen, a `NAME`: random, or activations (the directions in which each layer's inputs are largest)", Value: initARandom},
		&cli.Uint64Flag{Name: "steps", Usage: "number of training `STEPS`", Value: 500},
		&cli.IntFlag{Name: "batch", Usage: "`EXAMPLES` a step", Value: 8},
		&cli.IntFlag{Name: "q", Usage: "directions (`QUERIES`) a step; 2q perturbed copies go forward, with fzoo or jvp q + 1", DefaultText: eitherDefault(defaultQueries, defaultFullQueries)},
		&cli.Float64Flag{Name: "lr", Usage: "learning `RATE`", DefaultText: eitherDefault(defaultLR, defaultFullLR)},
		&cli.StringFlag{Name: "schedule", Usage: "how the rate changes, a `NAME`: constant, linear or cosine (both fall to 0)", Value: "constant"},
		&cli.Uint64Flag{Name: "warmup", Usage: "`STEPS` at the start over which the rate rises", DefaultText: "0"},
		&cli.StringFlag{Name: "optimizer", Usage: "how B moves, a `NAME`: " + strings.Join(train.Optimizers(), ", "), Value: train.Optimizers()[0]},
		&cli.Float64Flag{Name: "momentum", Usage: "`β` of the mean over past steps, for optimizers other than sgd", DefaultText: fmt.Sprint(train.DefaultMomentum)},
		&cli.BoolFlag{Name: "normalise", Usage: "divide slopes by their usual size, so that --lr means the same on every task", DisableDefaultText: true},
		&cli.Float64Flag{Name: "clip", Usage: "clip slopes to `N` times their usual size; 0: not", DefaultText: "0"},
		&cli.Float64Flag{Name: "eps", Usage: "size of the perturbation, `ε`", DefaultText: eitherDefault(defaultEps, defaultFullEps)},
		&cli.Uint64Flag{Name: "seed", DefaultText: "0", Usage: "`SEED` of A, the directions and the order of examples"},
		&cli.StringFlag{Name: "estimator", Usage: "`NAME`: prge (± pairs, one widened forward a step), fzoo (one side of a shared baseline), jvp (exact slopes beside one unperturbed pass, no ε), mezo (2q forwards, one by one), or auto, which is recommended for LoRA (" + autoMeans() + ")", DefaultText: eitherDefault("prge", "mezo")},
		&cli.Uint64Flag{Name: "eval-every", Usage: "evaluate on --held-out every `STEPS`; 0: at the start and the end only"},
		&cli.BoolFlag{Name: "profile", Usage: "print the time of each op and kernel at the end", DisableDefaultText: true},
		&cli.BoolFlag{Name: "trace", Usage: "write the time of every node as trace.json, for chrome://tracing or Perfetto", DisableDefaultText: true},
		&cli.StringFlag{Name: "fallback", Usage: "what goes on with the run where the device of --backend fails, a `NAME`: cpu, from the last step of the journal, or none", Value: fallbackCPU},
		&cli.BoolFlag{Name: "json", Usage: "print every step and evaluation as a line of JSON", DisableDefaultText: true},
	}
	flags = slices.Concat(flags, taskFlags(), shotFlags(), []cli.Flag{paramsFlag()}, loraFlags(), prefixFlags(), engineFlags(), paceFlags())
	return &cli.Command{
		Name: "train", Usage: "fine-tune a program's LoRA, or all its weights, with forward passes alone",
		UsageText: "zeroth train PROGRAM --data FILE --task TASK [flags]\nzeroth train --resume FOLDER",
		Description: "A step draws q random directions, runs the model forward at +eps and -eps of each\n" +
			"and moves LoRA's B, or with --params full every weight, along those that lower the\n" +
			"loss. Nothing is back-propagated.\n\n" +
			"The run's folder gets:\n" +
			"  journal       every step and evaluation, a few bytes each: enough to rebuild the adapter\n" +
			"  adapter       the last adapter (PEFT)\n" +
			"  best          the adapter that did best on --held-out\n" +
			"  start         with --init-a activations: the adapter that the run began with\n" +
			"  run.json      the settings, to resume with\n" +
			"  prefix.cache  with --prefix-cache: what the frozen layers give; it can be deleted\n" +
			"  profile.json  where time and memory went, for zeroth report\n\n" +
			"A run of --params full writes no weights: program and journal rebuild them, after any\n" +
			"step, by zeroth replay.\n\n" +
			"Ctrl-C saves and ends; --resume goes on to the same bits. Of the other flags it takes\n" +
			"--steps (to train longer), --threads, --cpus, --backend, --plugin, --fallback, --mem-limit,\n" +
			"--prefix-cache, --prefix-cache-dir, --max-temp, --min-battery, --nice, --json, --profile\n" +
			"and --trace. What it runs on is not kept with the run: give --backend and --plugin again.\n\n" +
			"Example:\n" +
			"  zeroth train m.zpt --data train.tsv --held-out dev.tsv --task sst2 --steps 500 --out run",
		Flags:  flags,
		Action: func(c *cli.Context) error { return trainThen(c, nil) },
	}
}

// trainThen is the train command. It calls then, if given, at the end of a run
// whose model still stands.
func trainThen(c *cli.Context, then func(context.Context, *trainRun) error) error {
	r, err := newTrainRun(c)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.run(c.Context); err != nil || then == nil {
		return err
	}
	return then(c.Context, r)
}

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
	r.config = runConfig{
		Program: path, Data: c.String("data"), HeldOut: c.String("held-out"), Test: c.String("test"), Adapter: c.String("adapter"),
		Task: readTaskOptions(c), Steps: c.Uint64("steps"), Batch: c.Int("batch"), Queries: c.Int("q"),
		LR: float32(c.Float64("lr")), Schedule: c.String("schedule"), Eps: float32(c.Float64("eps")),
		Seed: c.Uint64("seed"), Estimator: c.String("estimator"), EvalEvery: c.Uint64("eval-every"),
		Warmup: c.Uint64("warmup"), Moves: readMoves(c),
	}
	if err := r.config.chooseAuto(c); err != nil {
		return err
	}
	if err := r.config.chooseParams(c); err != nil {
		return err
	}
	if c.IsSet("eps") && r.config.Estimator == (train.JVP{}).Name() {
		return usagef("--eps and --estimator jvp exclude each other: its slopes are exact, nothing is perturbed")
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
	linked, methods, err := r.cutPrefix(linked)
	if err != nil {
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
		engine.onHost = []string{"update"}
	}
	if own := settings.Estimator.Method(); own != train.MethodLosses {
		methods = append(methods, own)
		if linked, err = withSlopes(linked); err != nil {
			return err
		}
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
	if err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.openPrefix(); err != nil {
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
		return withHint(err, "every step up to there is saved: make room, then go on with: zeroth train --resume "+r.folder)
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
	if err := r.noteArithmetic(); err != nil {
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
