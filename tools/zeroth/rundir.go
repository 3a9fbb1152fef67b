package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"zeroth/graph/pass"
	"zeroth/internal/atomicfile"
	"zeroth/mpzo/adapter"
	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"

	"github.com/urfave/cli/v2"
)

// The files of a run's folder.
const (
	journalName = "journal"
	configName  = "run.json"
	profileName = "profile.json"
	traceName   = "trace.json"
	lastName    = "adapter"
	bestName    = "best"
	startName   = "start"
	prefixName  = "prefix.cache"
	reportName  = "report.html"
)

// metricSetting is the journal's setting of the metric by which the best adapter
// is chosen, where that is not accuracy, or the loss where there is none.
const metricSetting = "metric"

// initASetting is the journal's setting of how A was chosen, where that is not at
// random.
const initASetting = "init_a"

// paramsSetting is the journal's setting of what is trained, where that is not LoRA's B.
const paramsSetting = "params"

// header describes the run in its journal: everything that decides its bits.
func (r *trainRun) header() (journal.Header, error) {
	s := &r.trainer.Settings
	h := journal.Header{
		Program: r.file.Program.Fingerprint, Seed: s.Seed, Sites: journalSites(r.model),
		Rank: r.config.LoRA.Rank, Alpha: float32(r.config.LoRA.Alpha), Q: s.Queries, Eps: s.Eps,
		Settings: map[string]string{
			"batch": strconv.Itoa(s.Batch), "estimator": s.Estimator.Name(), "loss": s.Loss.String(),
			"lr": strconv.FormatFloat(float64(s.LR), 'g', -1, 32), "schedule": string(s.Schedule),
			"eval_every": strconv.FormatUint(s.EvalEvery, 10),
		},
	}
	s.Moves.Describe(h.Settings)
	if s.Warmup > 0 {
		h.Settings["warmup"] = strconv.FormatUint(s.Warmup, 10)
	}
	sampler, err := noise.ParseSampler(r.config.LoRA.Sampler)
	if err != nil {
		return h, err
	}
	h.Sampler = uint32(sampler)
	if r.config.Params != "" {
		h.Settings[paramsSetting] = r.config.Params
	}
	if s.Schedule != train.Constant {
		h.Settings["steps"] = strconv.FormatUint(s.Steps, 10)
	}
	if err := r.describeTask(h.Settings); err != nil {
		return h, err
	}
	if set := r.trainer.HeldOut; set != nil && set.Deciding() != data.Accuracy {
		h.Settings[metricSetting] = set.Deciding().String()
	}
	for _, file := range []struct{ setting, path string }{
		{"data_sha256", r.config.Data}, {"held_out_sha256", r.config.HeldOut}, {"test_sha256", r.config.Test},
	} {
		if file.path == "" {
			continue
		}
		if h.Settings[file.setting], err = fileHash(file.path); err != nil {
			return h, err
		}
	}
	if r.config.InitA != "" {
		h.Settings[initASetting] = r.config.InitA
	}
	if r.cut != nil {
		h.Settings[prefixSetting] = "f16 before " + r.cut.Before
	}
	if start := r.startFolder(); start != "" {
		h.Start, err = adapterFingerprint(start)
	}
	return h, err
}

// describeTask writes the task's options, and the hash of its file where it has
// one, which may lie elsewhere when the run is resumed.
func (r *trainRun) describeTask(settings map[string]string) error {
	options := r.config.Task
	if options.isFile() {
		hash, err := fileHash(options.Task)
		if err != nil {
			return err
		}
		settings["task_sha256"] = hash
		options.Task = filepath.Base(options.Task)
	}
	task, err := json.Marshal(options)
	settings["task"] = string(task)
	return err
}

// isBegun reports whether a run's folder has a journal with anything in it.
func isBegun(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, journalName))
	return err == nil && info.Size() > 0
}

// configureResume reads a run's own settings back.
func (r *trainRun) configureResume(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return withHint(err, "--resume FOLDER knows its program")
	}
	allowed := map[string]bool{"resume": true, "threads": true, "cpus": true, "backend": true, "plugin": true, "json": true, "trace": true, "profile": true, "steps": true, "fallback": true}
	for _, name := range c.LocalFlagNames() {
		if !allowed[name] && !slices.Contains(prefixFlagNames, name) && !slices.Contains(paceFlagNames, name) {
			return usagef("--%s and --resume exclude each other: the run's own settings hold", name)
		}
	}
	r.folder, r.resuming = c.String("resume"), true
	if r.folder == "" {
		return usagef("--resume is empty: name the run's folder")
	}
	if err := r.readConfig(); err != nil {
		return err
	}
	if c.IsSet("steps") && c.Uint64("steps") != r.config.Steps {
		if steps := c.Uint64("steps"); steps < 1 || steps > maxSteps {
			return usagef("--steps %d: must be 1 to %d", steps, maxSteps)
		}
		if r.config.Schedule != string(train.Constant) {
			return usagef("--steps: a %s schedule depends on the number of steps, so it stays %d", r.config.Schedule, r.config.Steps)
		}
		r.config.Steps = c.Uint64("steps")
	}
	if err := r.config.resumePrefix(c); err != nil {
		return err
	}
	err := r.bindResumed()
	if errors.Is(err, fs.ErrNotExist) {
		err = withHint(err, filepath.Join(r.folder, configName)+" names the run's files: put it back, or change its place there")
	}
	return err
}

// readConfig reads the settings that the run's folder has.
func (r *trainRun) readConfig() error {
	if err := readJSON(filepath.Join(r.folder, configName), &r.config); err != nil {
		return withHint(err, r.folder+" does not look like the folder of a run")
	}
	if err := r.config.checkNumbers(); err != nil {
		return fmt.Errorf("%s: %v", filepath.Join(r.folder, configName), err)
	}
	return nil
}

// bindResumed opens the program of a run to resume and binds the model.
func (r *trainRun) bindResumed() error {
	if err := r.openProgram(); err != nil {
		return err
	}
	sampler, err := noise.ParseSampler(r.config.LoRA.Sampler)
	if err != nil {
		return fmt.Errorf("%s: %w", configName, err)
	}
	return r.link(pass.LoRA{Rank: r.config.LoRA.Rank, Alpha: r.config.LoRA.Alpha, Sampler: sampler, Sites: r.config.LoRA.Sites})
}

// reopen opens the journal of the run to resume and checks that it is of the
// same program, data and settings.
func (r *trainRun) reopen(want journal.Header) error {
	writer, log, err := journal.Open(filepath.Join(r.folder, journalName))
	if err != nil {
		return err
	}
	r.writer = writer
	if err := log.Header.Mismatch(&want); err != nil {
		return withHint(err, "the program, the data or run.json changed since the run began")
	}
	if log.Damage != nil {
		fmt.Fprintf(r.stderr, "zeroth: notice: %s: cut back to the last good record: %s\n", journalName, log.Damage)
	}
	if done := uint64(len(log.Steps)); done > r.config.Steps {
		return usagef("--steps %d: the run has done %d already", r.config.Steps, done)
	}
	r.trainer.Journal, r.trainer.Log = writer, log
	return nil
}

// clean removes what was half written when the run was killed. The journal is
// open, so no other process writes to the folder.
func (r *trainRun) clean() error {
	for _, folder := range []string{r.folder, filepath.Join(r.folder, lastName), filepath.Join(r.folder, bestName), filepath.Join(r.folder, startName)} {
		if err := atomicfile.RemoveTemporary(folder); err != nil {
			return err
		}
	}
	return nil
}

// save writes the last adapter, if there is one, and the profile.
func (r *trainRun) save() error {
	if err := r.writeAdapter(lastName); err != nil {
		return err
	}
	profile := filepath.Join(r.folder, profileName)
	if r.display.steps > 0 || !isFile(profile) { // a run that was finished already keeps its figures
		if err := writeJSON(profile, r.profile()); err != nil {
			return err
		}
	}
	if !r.trace {
		return nil
	}
	file, err := os.Create(filepath.Join(r.folder, traceName))
	if err != nil {
		return err
	}
	err = r.model.Session().WriteTrace(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// writeAdapter writes the model's LoRA. Weights that were trained themselves are
// not written: the journal has what they are rebuilt by.
func (r *trainRun) writeAdapter(name string) error {
	if r.config.full() {
		return nil
	}
	a, err := r.model.Adapter()
	if err != nil {
		return err
	}
	return adapter.Write(filepath.Join(r.folder, name), a)
}

// adapterLoRA reads from an adapter where it sits, in the form of a LoRA.
func adapterLoRA(folder string, lora pass.LoRA) (pass.LoRA, error) {
	a, err := readAdapter(folder)
	if err != nil {
		return lora, err
	}
	out := pass.LoRA{Rank: a.Rank, Alpha: a.Alpha, Sampler: lora.Sampler}
	for _, site := range a.Sites {
		out.Sites = append(out.Sites, site.Module)
	}
	return out, nil
}

func loadAdapter(m *train.Model, folder string) error {
	a, err := readAdapter(folder)
	if err != nil {
		return err
	}
	if err := m.SetAdapter(a); err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	return nil
}

// adapterFingerprint names the contents of an adapter: the hash of its weights
// file.
func adapterFingerprint(folder string) ([32]byte, error) {
	var sum [32]byte
	text, err := fileHash(filepath.Join(folder, "adapter_model.safetensors"))
	if err != nil {
		return sum, err
	}
	_, err = hex.Decode(sum[:], []byte(text))
	return sum, err
}

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, value any) error {
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, append(raw, '\n'))
}
