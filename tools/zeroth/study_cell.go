package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"zeroth/mpzo/train"
	"zeroth/tools/study"

	"github.com/urfave/cli/v2"
)

// cellRunner does a cell of a study by the train command.
type cellRunner struct {
	engine []string // flags

	mutex sync.Mutex
	rows  map[string]rowsTaken // by all that they depend on
}

// rowsTaken are the rows that go forward in a step, and before the first.
type rowsTaken struct{ step, before float64 }

// The rows of a step are measured by as many examples as this, and by so many
// steps at least.
const probeExamples, probeSteps = 128, 8

// Run trains for as many steps as the budget of rows holds, in whole runs of
// steps between evaluations.
func (c *cellRunner) Run(ctx context.Context, cell study.Cell) (study.Result, error) {
	rows, err := c.rowsOf(ctx, cell)
	if err != nil {
		return study.Result{}, err
	}
	most := max(0, (float64(cell.Rows)-rows.before)/rows.step)
	every := uint64(most / float64(cell.Evaluations))
	steps := every * uint64(cell.Evaluations)
	if every == 0 {
		every, steps = 1, max(1, uint64(most))
	}
	flags := study.Flags{
		"lr":    study.Value(strconv.FormatFloat(cell.LR, 'g', -1, 64)),
		"steps": study.Value(strconv.FormatUint(steps, 10)), "eval-every": study.Value(strconv.FormatUint(every, 10)),
	}
	if cell.Kind == study.KindGradient {
		return c.gradient(ctx, cell, flags)
	}
	e, err := c.train(ctx, cell, flags, nil)
	return e.result, err
}

// rowsOf measures how many rows go forward, at a rate of 0. It does so once for
// all seeds, so that all take the same number of steps.
func (c *cellRunner) rowsOf(ctx context.Context, cell study.Cell) (rowsTaken, error) {
	cell.Seed = 1
	key := fmt.Sprintln(cell.Program, cell.Flags.Words())
	c.mutex.Lock()
	rows, known := c.rows[key]
	c.mutex.Unlock()
	if known {
		return rows, nil
	}
	steps := probeSteps
	if batch, err := strconv.Atoi(string(cell.Flags["batch"])); err == nil && batch > 0 {
		steps = max(steps, probeExamples/batch)
	}
	e, err := c.train(ctx, cell, study.Flags{"lr": "0", "steps": study.Value(strconv.Itoa(steps)), "held-out": "", "warmup": "0"}, nil)
	if err != nil {
		return rows, err
	}
	if e.rows <= e.before {
		return rows, fmt.Errorf("%d steps took no rows", e.result.Steps)
	}
	rows = rowsTaken{step: float64(e.rows-e.before) / float64(e.result.Steps), before: float64(e.before)}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.rows == nil {
		c.rows = map[string]rowsTaken{}
	}
	c.rows[key] = rows
	return rows, nil
}

// train runs the train command with a cell's flags and more, in a folder that
// goes when it ends, and calls then, if given, before that.
func (c *cellRunner) train(ctx context.Context, cell study.Cell, more study.Flags, then func(context.Context, *trainRun) error) (*cellEvents, error) {
	folder, err := os.MkdirTemp("", "zeroth-study-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	flags := study.Flags{"json": "true", "seed": study.Value(strconv.FormatUint(cell.Seed, 10)), "out": study.Value(filepath.Join(folder, "run"))}
	args := slices.Concat([]string{"zeroth", "train"}, arguments(cell.Flags, flags, more), c.engine, []string{"--", cell.Program})
	events, notes := &cellEvents{}, &bytes.Buffer{}
	start := time.Now()
	app := newApp(events, notes)
	app.Command("train").Action = func(c *cli.Context) error { return trainThen(c, then) }
	err = app.RunContext(ctx, permute(app, args))
	if events.failed != nil {
		err = events.failed
	}
	events.result.Seconds = time.Since(start).Seconds()
	if errors.Is(err, train.ErrDiverged) {
		events.result.Diverged, err = true, nil
	}
	return events, err
}

// arguments writes flags as arguments, those without a value left out; later
// ones hold.
func arguments(all ...study.Flags) []string {
	merged := study.Flags{}
	for _, flags := range all {
		for name, value := range flags {
			merged[name] = value
		}
	}
	var words []string
	for name, value := range merged {
		if value != "" {
			words = append(words, "--"+name+"="+string(value))
		}
	}
	slices.Sort(words)
	return words
}

// cellEvents takes from what train --json prints what a result is made of.
type cellEvents struct {
	line   []byte
	rows   int64 // gone forward
	before int64 // of them, before the first step
	result study.Result
	failed error
}

// Write takes whole and broken lines.
func (e *cellEvents) Write(p []byte) (int, error) {
	e.line = append(e.line, p...)
	for {
		end := bytes.IndexByte(e.line, '\n')
		if end < 0 {
			return len(p), nil
		}
		if err := e.take(e.line[:end]); err != nil && e.failed == nil {
			e.failed = err
		}
		e.line = e.line[end+1:]
	}
}

func (e *cellEvents) take(line []byte) error {
	var event struct {
		Event    string
		Step     uint64
		Rows     int64
		Loss     float64
		Accuracy *float64
	}
	if err := json.Unmarshal(line, &event); err != nil {
		return fmt.Errorf("train printed %.80q: %w", line, err)
	}
	switch event.Event {
	case "look":
		e.rows += event.Rows
		e.before = e.rows
	case "step":
		e.rows += event.Rows
		e.result.Steps = event.Step
	case "eval":
		e.result.Points = append(e.result.Points, study.Point{Step: event.Step, Rows: e.rows, Loss: event.Loss, Accuracy: event.Accuracy})
	}
	return nil
}
