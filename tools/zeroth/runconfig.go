package main

import (
	"math"
	"path/filepath"

	"zeroth/mpzo/train"
)

// runConfig is what run.json holds: all that is needed to resume a run.
type runConfig struct {
	Program   string        `json:"program"`
	Data      string        `json:"data"`
	HeldOut   string        `json:"held_out,omitempty"`
	Test      string        `json:"test,omitempty"`
	Adapter   string        `json:"adapter,omitempty"`
	InitA     string        `json:"init_a,omitempty"`
	Task      taskOptions   `json:"task"`
	Steps     uint64        `json:"steps"`
	Batch     int           `json:"batch"`
	Queries   int           `json:"q"`
	LR        float32       `json:"lr"`
	Schedule  string        `json:"schedule"`
	Eps       float32       `json:"eps"`
	Seed      uint64        `json:"seed"`
	Estimator string        `json:"estimator"`
	Warmup    uint64        `json:"warmup,omitempty"`
	Moves     train.Moves   `json:"moves"`
	Params    string        `json:"params,omitempty"`
	EvalEvery uint64        `json:"eval_every"`
	LoRA      loraSelection `json:"lora"`
	// PrefixCache is the most bytes to keep of what frozen layers give; 0: none.
	PrefixCache int64 `json:"prefix_cache,omitempty"`
	// PrefixDir is the folder of that; empty: the run's.
	PrefixDir string `json:"prefix_cache_dir,omitempty"`
	// Arithmetic is that of the processor that trained last; see cpu.Arithmetic.
	Arithmetic string `json:"arithmetic,omitempty"`
	// Storage is how activations were stored last: f32 or f16.
	Storage string `json:"storage,omitempty"`
}

// loraSelection is pass.LoRA in words.
type loraSelection struct {
	Rank    int      `json:"rank"`
	Alpha   float64  `json:"alpha"`
	Sampler string   `json:"sampler"`
	Sites   []string `json:"sites"`
}

// Limits that no run on one machine reaches; they keep sums of sizes in range.
const (
	maxSteps = 1_000_000_000
	maxBatch = 1 << 20
)

// checkNumbers names the first number that is out of range.
func (c *runConfig) checkNumbers() error {
	switch {
	case c.Steps < 1 || c.Steps > maxSteps:
		return usagef("--steps %d: must be 1 to %d", c.Steps, maxSteps)
	case c.Batch < 1 || c.Batch > maxBatch:
		return usagef("--batch %d: must be 1 to %d", c.Batch, maxBatch)
	case !(c.LR >= 0 && c.LR <= math.MaxFloat32):
		return usagef("--lr %g: must be a number, 0 or above", c.LR)
	case !(c.Eps >= 1e-30 && c.Eps <= math.MaxFloat32):
		return usagef("--eps %g: must be a number above 0, at least 1e-30", c.Eps)
	case c.PrefixCache < 0:
		return usagef("--prefix-cache %d: must be a number of bytes", c.PrefixCache)
	case c.EvalEvery > 0 && c.HeldOut == "" && c.Task.Shots == 0:
		return usagef("--eval-every needs --held-out: the file to evaluate on")
	}
	return c.Task.checkSample()
}

// check names the first flag whose value cannot be. The run's folder must be
// new; that it still is when the journal is made is seen then.
func (c *runConfig) check(folder string) error {
	switch {
	case c.Data == "":
		return usagef("--data is missing: the file to train on")
	case folder == "":
		return usagef("--out is empty: name the run's folder")
	case isFile(filepath.Join(folder, journalName)):
		return holdsRun(folder)
	}
	if err := c.checkNumbers(); err != nil || c.Task.isText() {
		return err
	}
	_, err := c.Task.task()
	return err
}

func holdsRun(folder string) error {
	return withHint(usagef("%s holds a run already", folder),
		"choose another --out, or go on with: zeroth train --resume "+folder)
}

// paths are the names of files and folders; an empty one names none.
func (c *runConfig) paths() []*string {
	paths := []*string{&c.Program, &c.Data, &c.HeldOut, &c.Test, &c.Adapter}
	if c.Task.isFile() {
		paths = append(paths, &c.Task.Task)
	}
	return paths
}

// absolute makes the paths good for any folder that the run may be resumed from.
func (c runConfig) absolute() runConfig {
	for _, path := range c.paths() {
		if whole, err := filepath.Abs(*path); err == nil && *path != "" {
			*path = whole
		}
	}
	return c
}
