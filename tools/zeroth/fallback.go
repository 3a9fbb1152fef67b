package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

// What --fallback may say.
const (
	fallbackCPU  = "cpu"
	fallbackNone = "none"
)

func readFallback(c *cli.Context) (string, error) {
	switch name := c.String("fallback"); name {
	case fallbackCPU, fallbackNone:
		return name, nil
	default:
		return "", usagef("--fallback %q: must be %s or %s", name, fallbackCPU, fallbackNone)
	}
}

// canFallBack reports whether the CPU can go on with a run that failed: its device
// did, and what it was is told by the journal.
func (r *trainRun) canFallBack(err error) bool {
	return r.fallback == fallbackCPU && r.engine.Backend != fallbackCPU && deviceFailed(err)
}

// fallBack goes on with the run by the CPU, as --resume would. B was on the device
// that failed: it is what the journal's steps make of the adapter that the run
// began with, bit for bit.
func (r *trainRun) fallBack(ctx context.Context, failed error) error {
	step := r.writer.Last()
	fmt.Fprintf(r.stderr, "zeroth: notice: %s failed: %v\n", r.engine.Backend, failed)
	fmt.Fprintf(r.stderr, "zeroth: notice: the CPU goes on from step %d, which is the same bits; the losses of further steps may differ in their last digits\n", step)
	if r.json {
		r.display.event(map[string]any{"event": "fallback", "step": step, "from": r.engine.Backend, "backend": fallbackCPU, "error": failed.Error()})
	}
	r.close()
	next := &trainRun{
		folder: r.folder, engine: r.engine.beside(fallbackCPU), json: r.json, trace: r.trace, table: r.table, resuming: true,
		stdout: r.stdout, stderr: r.stderr, pacer: r.pacer,
	}
	err := next.readConfig()
	if err == nil {
		err = next.bindResumed()
	}
	if err != nil {
		next.close()
		return r.explain(fmt.Errorf("%w; nor can the CPU go on: %w", failed, err))
	}
	*r = *next // whoever has the run finds the model that went on
	return r.run(ctx)
}
