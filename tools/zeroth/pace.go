package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"zeroth/runtime/platform"

	"github.com/urfave/cli/v2"
)

// paceFlags are those that keep a run from being a burden to its machine. They
// change none of its bits.
func paceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.Float64Flag{Name: "max-temp", Usage: "pause above this temperature, in `°C`: of the skin or the battery where they are known, else of the hottest sensor", DefaultText: "none"},
		&cli.IntFlag{Name: "min-battery", Usage: "pause below this charge, in `PERCENT`, unless it is charging", DefaultText: "none"},
		&cli.BoolFlag{Name: "nice", Usage: "let everything else on the machine go first (Linux, Android)", DisableDefaultText: true},
	}
}

// paceFlagNames are the flags that --resume takes too.
var paceFlagNames = []string{"max-temp", "min-battery", "nice", "mem-limit"}

// pacer pauses a run between steps while the machine is too hot or its battery too
// low.
type pacer struct {
	maxTemp    float64 // °C; 0: none
	minBattery int     // percent; 0: none
	nice       bool

	conditions func() platform.Conditions
	sleep      func(ctx context.Context, d time.Duration) error
	now        func() time.Time
	looked     time.Time
}

// A pause ends only well below the limit that began it, or it would begin again.
const (
	easeCelsius = 2
	easePercent = 2
	lookEvery   = 2 * time.Second // between steps
	waitEvery   = 5 * time.Second // in a pause
)

func readPacer(c *cli.Context) (*pacer, error) {
	p := &pacer{
		maxTemp: c.Float64("max-temp"), minBattery: c.Int("min-battery"), nice: c.Bool("nice"),
		conditions: platform.ReadConditions, sleep: sleepFor, now: time.Now,
	}
	now := p.conditions()
	switch {
	case c.IsSet("max-temp") && !(p.maxTemp >= 20 && p.maxTemp <= 120):
		return nil, usagef("--max-temp %g: must be 20 to 120 °C", p.maxTemp)
	case c.IsSet("min-battery") && (p.minBattery < 1 || p.minBattery > 95):
		return nil, usagef("--min-battery %d: must be 1 to 95 %%", p.minBattery)
	case p.maxTemp > 0 && math.IsNaN(now.Celsius):
		return nil, withHint(fmt.Errorf("--max-temp: no temperature can be read on this machine"), "leave --max-temp away")
	case p.minBattery > 0 && now.Battery < 0:
		return nil, withHint(fmt.Errorf("--min-battery: no battery can be read on this machine"), "leave --min-battery away")
	}
	return p, nil
}

func sleepFor(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// reason says why a run must pause; ease is how far from a limit it must be.
func (p *pacer) reason(c platform.Conditions, easeTemp float64, easeBattery int) string {
	switch {
	case p.maxTemp > 0 && c.Celsius > p.maxTemp-easeTemp:
		return fmt.Sprintf("%s has %.1f °C, --max-temp is %g", c.Sensor, c.Celsius, p.maxTemp)
	case p.minBattery > 0 && !c.Charging && c.Battery >= 0 && c.Battery < p.minBattery+easeBattery:
		return fmt.Sprintf("the battery has %d %%, --min-battery is %d", c.Battery, p.minBattery)
	}
	return ""
}

// wait returns when the next step may begin. Before a pause it calls pause, and
// resume after it.
func (p *pacer) wait(ctx context.Context, pause func(reason string) error, resume func(time.Duration)) error {
	if p.maxTemp == 0 && p.minBattery == 0 || p.now().Sub(p.looked) < lookEvery {
		return nil
	}
	p.looked = p.now()
	reason := p.reason(p.conditions(), 0, 0)
	if reason == "" {
		return nil
	}
	if err := pause(reason); err != nil {
		return err
	}
	begun := p.now()
	for reason != "" {
		if err := p.sleep(ctx, waitEvery); err != nil {
			return err
		}
		reason = p.reason(p.conditions(), easeCelsius, easePercent)
	}
	resume(p.now().Sub(begun))
	return nil
}

// pace is the trainer's: it waits where the machine needs it, with all saved.
func (r *trainRun) pace(ctx context.Context, step uint64) error {
	return r.pacer.wait(ctx, func(reason string) error {
		if err := r.writer.Sync(); err != nil {
			return err
		}
		r.display.paused(step, reason)
		return nil
	}, func(after time.Duration) { r.display.resumed(step, after) })
}

// paused tells of a pause after a step.
func (d *display) paused(step uint64, reason string) {
	if d.run.json {
		d.event(map[string]any{"event": "pause", "step": step, "reason": reason})
	}
	if d.bar != nil {
		_ = d.bar.Clear()
	}
	fmt.Fprintf(d.run.stderr, "zeroth: notice: paused after step %d, all is saved: %s\n", step, reason)
}

func (d *display) resumed(step uint64, after time.Duration) {
	if d.run.json {
		d.event(map[string]any{"event": "resume", "step": step, "seconds": after.Seconds()})
	}
	fmt.Fprintf(d.run.stderr, "zeroth: notice: going on after a pause of %s\n", after.Round(time.Second))
}

// lower lowers the process's priority, if that was asked.
func (p *pacer) lower() (string, error) {
	if !p.nice {
		return "", nil
	}
	done, err := platform.LowerPriority()
	if err != nil {
		return "", withHint(fmt.Errorf("--nice: %w", err), "leave --nice away")
	}
	return done, nil
}
