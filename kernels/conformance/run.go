package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/platform"
)

// Options choose what Run does. The zero value runs every case on the kernel
// that the registry picks, with 1, 2 and 7 workers.
type Options struct {
	Op      string // run the ops whose name contains it, in any case of letters
	Case    string // run the cases whose name contains it
	Workers []int  // pool sizes, the first of which makes the bits that the others must repeat
	// CPUs, if any, are those that the workers are held to.
	CPUs platform.CPUs
	// Parts, if above 1, divides the table: only case Part, Part + Parts, … run.
	Part, Parts int
	// Every runs a case on each kernel that supports it, not on the best alone.
	Every bool
	// Taken passes over the cases that no kernel supports, instead of failing
	// them: a vendor's kernels need not compute everything.
	Taken bool
	// Started, if not nil, is called before a case is looked at.
	Started func(c *Case)
	// Allocations, if not nil, is testing.AllocsPerRun: Run of a kernel must
	// not allocate.
	Allocations func(runs int, f func()) float64
}

// defaultWorkers are one thread, the usual two, and more than the machine has,
// in a number that divides few extents.
var defaultWorkers = [...]int{1, 2, 7}

// Run examines a registry with the table of Cases. A case that no kernel
// supports fails; Run itself fails where the CPUs cannot be had, and with the
// error of ctx once that is done.
func Run(ctx context.Context, registry *kernel.Registry, options Options) (Report, error) {
	workers := options.Workers
	if len(workers) == 0 {
		workers = defaultWorkers[:]
	}
	s := suite{options: options}
	defer s.close()
	if err := s.open(workers); err != nil {
		return Report{}, err
	}
	var report Report
	for i, c := range slices.Concat(Cases(), halfCases()) {
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
		if options.Parts > 1 && i%options.Parts != options.Part {
			continue
		}
		if !strings.Contains(strings.ToLower(c.Op.String()), strings.ToLower(options.Op)) || !strings.Contains(c.Name, options.Case) {
			continue
		}
		if options.Started != nil {
			options.Started(&c)
		}
		kernels, err := choose(registry, &c, options.Every)
		if options.Taken && errors.Is(err, kernel.ErrNoKernel) {
			report.Untaken++
			continue
		}
		if err != nil {
			report.Results = append(report.Results, c.result("", 0, err))
			continue
		}
		var w want
		for _, k := range kernels {
			if c.onlyHalf && k.Half.Out == 0 {
				continue
			}
			worst, err := s.judge(&c, k, &w)
			if errors.Is(err, errPanic) {
				s.close() // a pool whose caller panicked is in no state to go on
				if err := s.open(workers); err != nil {
					return Report{}, err
				}
			}
			result := c.result(k.Name, worst, err)
			result.Half = k.Half != (kernel.Operands{})
			report.Results = append(report.Results, result)
		}
	}
	return report, nil
}

// choose lists the kernels to examine with a case.
func choose(registry *kernel.Registry, c *Case, every bool) ([]*kernel.Kernel, error) {
	best, err := registry.Pick(c.Op, c.Types(), c.Attrs)
	if err != nil || !every {
		return []*kernel.Kernel{best}, err
	}
	var all []*kernel.Kernel
	for i := range registry.Kernels() {
		k := &registry.Kernels()[i]
		if k.Op == c.Op && (k.Supports == nil || k.Supports(c.Types(), c.Attrs)) {
			all = append(all, k)
		}
	}
	return all, nil
}

func (c *Case) result(name string, nmse float64, err error) Result {
	r := Result{Op: c.Op.String(), Case: c.Name, Kernel: name, NMSE: nmse, Limit: c.Limit, Pass: err == nil}
	if err != nil {
		r.Message = err.Error()
	}
	return r
}

// suite is what the cases of one Run share.
type suite struct {
	options Options
	plain   *platform.Pool
	pools   []*platform.Pool
}

func (s *suite) open(workers []int) error {
	s.plain, s.pools = platform.NewPool(1), nil
	for _, n := range workers {
		pool, err := platform.NewPoolOn(s.options.CPUs, n)
		if err != nil {
			return err
		}
		s.pools = append(s.pools, pool)
	}
	return nil
}

func (s *suite) close() {
	s.plain.Close()
	for _, pool := range s.pools {
		pool.Close()
	}
}

// want is what a case wants of kernels that keep the same inputs as f16.
type want struct {
	rounds [][][]float32 // nil: not computed yet
	half   uint32
}

// judge examines a kernel with what the case wants of it.
func (s *suite) judge(c *Case, k *kernel.Kernel, w *want) (worst float64, err error) {
	if w.rounds == nil || w.half != k.Half.In {
		w.half = k.Half.In
		if w.rounds, err = expected(c, s.plain, k.Half.In); err != nil {
			return 0, err
		}
	}
	return s.examine(c, k, w.rounds)
}

// examine runs a case on a kernel: with the first pool against want, then with
// the other pools and in place against its own bits. It returns the worst NMSE.
func (s *suite) examine(c *Case, k *kernel.Kernel, want [][][]float32) (worst float64, err error) {
	first, err := newNode(c, k, s.pools[0], false)
	if err != nil {
		return 0, err
	}
	bits := make([][][]float32, len(want))
	for round, e := range c.Rounds() {
		if bits[round], err = first.run(e, round); err != nil {
			return worst, fmt.Errorf("%s: %w", describe(e), err)
		}
		nmse, err := c.compare(bits[round], want[round], k.Half.Out)
		worst = max(worst, nmse)
		if err != nil {
			return worst, fmt.Errorf("%s: %w", describe(e), err)
		}
	}
	for _, pool := range s.pools[1:] {
		what := fmt.Sprintf("with %d workers instead of %d", pool.Workers(), s.pools[0].Workers())
		if err := repeat(c, k, pool, false, bits, what); err != nil {
			return worst, err
		}
	}
	if inPlacePossible(first.call) {
		if err := repeat(c, k, s.pools[0], true, bits, "in place"); err != nil {
			return worst, err
		}
	}
	if s.options.Allocations != nil {
		if n := s.options.Allocations(2, func() { _ = first.runner.Run() }); n > 0 {
			return worst, fmt.Errorf("%g allocations in a run", n)
		}
	}
	return worst, nil
}

// repeatedRounds are enough to see what another condition changes: the bounds
// and half of them.
const repeatedRounds = 2

// repeat runs rounds again under another condition and demands equal bits.
func repeat(c *Case, k *kernel.Kernel, pool *platform.Pool, inPlace bool, want [][][]float32, what string) error {
	n, err := newNode(c, k, pool, inPlace)
	if err != nil {
		return err
	}
	rounds := c.Rounds()
	for round, e := range rounds[:min(len(rounds), repeatedRounds)] {
		got, err := n.run(e, round)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", what, describe(e), err)
		}
		for i := range want[round] {
			if err := equalBits(got[i], want[round][i]); err != nil {
				return fmt.Errorf("%s: %s: result %d: %w", what, describe(e), i, err)
			}
		}
	}
	return nil
}

// inPlacePossible reports whether output 0 may lie over input 0.
func inPlacePossible(c *kernel.Call) bool {
	return c.Spec.InPlace && c.Out[0].Type.Equal(c.In[0].Type)
}
