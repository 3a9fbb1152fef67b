package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	"zeroth/internal/bytesize"
	"zeroth/runtime/executor"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

func memLimitFlag() cli.Flag {
	return &cli.StringFlag{Name: "mem-limit", Usage: "refuse what takes more than this `SIZE`, weights included, such as 900M or 1.5G; a card's own memory does not count", DefaultText: "the machine's memory; on Android what is available"}
}

// readBytes reads a size: a number, with K, M or G for powers of 1024.
func readBytes(text string) (int64, error) {
	number, unit := text, 1.0
	for suffix, bytes := range map[string]float64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30} {
		if rest, ok := strings.CutSuffix(strings.ToUpper(text), suffix); ok {
			number, unit = rest, bytes
		}
	}
	value, err := strconv.ParseFloat(number, 64)
	if bytes := value * unit; err == nil && bytes >= 1 && bytes <= memoryWithoutLimit {
		return int64(bytes), nil
	}
	return 0, fmt.Errorf("%q is no size: a number with K, M or G, 1 to %dG", text, int64(memoryWithoutLimit)>>30)
}

// maxBytes is what a session of a program may take beside its weights.
func (e engine) maxBytes(p *program.Program) int64 {
	switch {
	case e.probing:
		return 1
	case e.MemLimit > 0:
		return max(1, e.MemLimit-int64(weightBytes(p)))
	case runtime.GOOS == "android" && platform.AvailableBytes() > 0:
		// The system ends what takes more. Pages of the weights' file need not stay.
		return max(1, min(memoryLimit(p), platform.AvailableBytes()-int64(ownedBytes(p))))
	}
	return memoryLimit(p)
}

// overLimit says of a session that was refused what --mem-limit left for it.
func (e engine) overLimit(refused error, p *program.Program) error {
	if e.MemLimit == 0 || !errors.Is(refused, executor.ErrMemory) {
		return refused
	}
	weights := bytesize.Precise(weightBytes(p))
	if int64(weightBytes(p)) >= e.MemLimit {
		return withHint(fmt.Errorf("%w: --mem-limit is %s, and the weights alone are %s", executor.ErrMemory, bytesize.Precise(e.MemLimit), weights),
			"export with smaller weights (--quant)")
	}
	return fmt.Errorf("%w beside %s of weights", refused, weights)
}

// fitting says which smaller sizes of a run would fit the memory that a session
// was refused for. It changes neither by itself: both decide the run's bits.
func (r *trainRun) fitting(refused error, linked *program.Program, methods []string, bounds func(batch, q int) (op.Extents, error), batch, q int) error {
	var short *executor.MemoryError
	if !errors.As(refused, &short) {
		return refused
	}
	probe := r.engine
	probe.notices, probe.probing = nil, true
	fits := func(probe engine, batch, q int) bool {
		b, err := bounds(batch, q)
		if err != nil {
			return false
		}
		s, err := probe.session(linked, b, false, methods...)
		if err == nil {
			s.Close()
		}
		var need *executor.MemoryError
		return errors.As(err, &need) && need.Needed <= short.Allowed
	}
	var choices []string
	if short.Delegated > 0 && fits(probe.beside("cpu"), batch, q) {
		choices = append(choices, "--backend cpu")
	}
	if most := largest(batch-1, func(n int) bool { return fits(probe, n, q) }); most > 0 {
		choices = append(choices, fmt.Sprintf("--batch %d", most))
	}
	if most := largest(q-1, func(n int) bool { return fits(probe, batch, n) }); most > 0 {
		choices = append(choices, fmt.Sprintf("--q %d", most))
	}
	hint := strings.Join(choices, " would fit, and so would ")
	switch {
	case len(choices) == 1:
		hint += " would fit"
	case len(choices) == 0 && fits(probe, 1, 1):
		hint = "only smaller sizes of both --batch and --q fit: --batch 1 --q 1 does"
	case len(choices) == 0:
		hint = "not even --batch 1 --q 1 fits: lower --max-tokens, or export with smaller weights (--quant)"
	}
	return withHint(refused, hint)
}

// largest is the largest n from 1 to most that fits, where all below one that
// fits do; 0 where none does.
func largest(most int, fits func(n int) bool) int {
	low, high := 0, most // low fits, or is 0; nothing above high fits
	for low < high {
		middle := low + int(math.Ceil(float64(high-low)/2))
		if fits(middle) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}
