package study

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Study is a spec being carried out.
type Study struct {
	Spec   *Spec
	Folder string // of the results
	Runner Runner
	// Contents are hashes of the files that a run reads, by task, which its
	// result is kept under.
	Contents map[string]map[string]string
	Jobs     int // cells at once
	// Done is told of each result; fresh says that it was not there before. Calls
	// do not overlap.
	Done func(r Result, fresh bool)

	mutex sync.Mutex
}

// Outcome is what a method came to on a task.
type Outcome struct {
	Task, Method string
	Flags        Flags   // of the best point of its grid
	LR           float64 // the best there
	Runs         []Result
}

// cellsFolder is where in a study's folder its cells lie.
const cellsFolder = "cells"

// Run does what is left of the study and returns its outcomes, by task and then
// method.
func (s *Study) Run(ctx context.Context) ([]Outcome, error) {
	if err := os.MkdirAll(filepath.Join(s.Folder, cellsFolder), 0o777); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var outcomes []*Outcome
	var work []func() error
	for i := range s.Spec.Tasks {
		for j := range s.Spec.Methods {
			task, method := &s.Spec.Tasks[i], &s.Spec.Methods[j]
			if method.isFor(task.Name) {
				o := &Outcome{Task: task.Name, Method: method.Name}
				outcomes = append(outcomes, o)
				work = append(work, func() error { return s.method(ctx, task, method, o) })
			}
		}
	}
	if err := inOrder(work, s.Jobs, cancel); err != nil {
		return nil, err
	}
	list := make([]Outcome, len(outcomes))
	for i, o := range outcomes {
		list[i] = *o
	}
	return list, nil
}

// inOrder begins work in its order, so many at once. After a first error it calls
// cancel, waits for what has begun, and returns that error.
func inOrder(work []func() error, jobs int, cancel func()) error {
	next := make(chan func() error)
	failed := make(chan error, len(work))
	var group sync.WaitGroup
	for range max(1, jobs) {
		group.Go(func() {
			for do := range next {
				if err := do(); err != nil {
					failed <- err
					cancel()
				}
			}
		})
	}
	for _, do := range work {
		next <- do
	}
	close(next)
	group.Wait()
	close(failed)
	return <-failed // nil where there is none
}

// method finds the best point and rate of a method and runs it with all seeds.
func (s *Study) method(ctx context.Context, task *Task, method *Method, o *Outcome) error {
	least := math.Inf(1)
	for _, point := range method.points() {
		flags := merge(task.Flags, method.Flags, point)
		lr, loss, err := s.search(ctx, task, method, flags)
		if err != nil {
			return err
		}
		if loss < least || o.Flags == nil {
			least, o.Flags, o.LR = loss, flags, lr
		}
	}
	var err error
	o.Runs, err = s.runs(ctx, task, method, o.Flags, o.LR, s.Spec.Seeds)
	return err
}

// maxRates is the most learning rates that a search looks at.
const maxRates = 16

// search finds the learning rate with the least final loss. It goes from the
// method's own down, in longer and longer strides, while runs diverge, and then
// by a factor to either side until both neighbours of the best are worse. Where
// the model stands still there is no rate to find.
func (s *Study) search(ctx context.Context, task *Task, method *Method, flags Flags) (lr, loss float64, err error) {
	losses := map[int]float64{} // by power of the factor
	judge := func(power int) {
		if _, seen := losses[power]; seen || err != nil {
			return
		}
		var runs []Result
		runs, err = s.runs(ctx, task, method, flags, rate(method.LR, s.Spec.Factor, power), s.Spec.SearchSeeds)
		losses[power] = medianFinal(runs)
	}
	best, stride := 0, 1
	if task.Kind == KindGradient {
		judge(0)
		return method.LR, losses[0], err
	}
	for judge(best); err == nil && math.IsInf(losses[best], 1) && len(losses) < maxRates/2; judge(best) {
		best, stride = best-stride, 2*stride
	}
	for moved := true; moved && err == nil && len(losses) < maxRates; {
		at := best
		for _, power := range []int{at + 1, at - 1} {
			if judge(power); losses[power] < losses[best] {
				best = power
			}
		}
		moved = best != at
	}
	return rate(method.LR, s.Spec.Factor, best), losses[best], err
}

// rate is lr · factor^power to three digits, so that it reads well.
func rate(lr, factor float64, power int) float64 {
	v := lr * math.Pow(factor, float64(power))
	digits := math.Pow(10, 2-math.Floor(math.Log10(v)))
	return math.Round(v*digits) / digits
}

// runs does a setting with the seeds 1 … n.
func (s *Study) runs(ctx context.Context, task *Task, method *Method, flags Flags, lr float64, n int) ([]Result, error) {
	share := method.Share
	if share == 0 {
		share = 1
	}
	var list []Result
	for seed := range n {
		if err := ctx.Err(); err != nil {
			return list, err
		}
		c := Cell{
			Task: task.Name, Method: method.Name, Program: task.Program, Kind: task.Kind, Flags: flags, LR: lr, Seed: uint64(seed + 1),
			Rows: max(1, int64(share*float64(task.Rows))), Evaluations: s.Spec.Evaluations, Contents: s.Contents[task.Name],
		}
		r, kept, err := store{filepath.Join(s.Folder, cellsFolder)}.get(ctx, c, s.Runner)
		if err != nil {
			return list, err
		}
		s.mutex.Lock()
		s.Done(r, !kept)
		s.mutex.Unlock()
		list = append(list, r)
	}
	return list, nil
}

func medianFinal(runs []Result) float64 {
	var finals []float64
	for i := range runs {
		finals = append(finals, runs[i].Final())
	}
	return median(finals)
}

// median is the middle of values, the mean of two where they are even; NaN of
// none.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
