package bench

import (
	"slices"

	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
)

// nodeClock takes down the time of every node in each run of some methods.
type nodeClock struct {
	session *executor.Session
	methods []string
	before  []executor.NodeStats   // as last read
	runs    [][]executor.NodeStats // by run and node, of that run alone
}

// clock is that of a step: of the estimator's method and of update.
func (r *runner) clock() *nodeClock {
	return &nodeClock{session: r.model.Session(), methods: []string{r.estimator.Method(), train.MethodUpdate}}
}

// after is run with the clock read behind it.
func (c *nodeClock) after(run func() error) func() error {
	return func() error {
		if err := run(); err != nil {
			return err
		}
		return c.read()
	}
}

// read takes down what each node took since the clock was last read.
func (c *nodeClock) read() error {
	var now []executor.NodeStats
	for _, name := range c.methods {
		m, err := c.session.Method(name)
		if err != nil {
			return err
		}
		now = append(now, m.Stats()...)
	}
	run := slices.Clone(now)
	for i := range c.before {
		run[i].Runs -= c.before[i].Runs
		run[i].Total -= c.before[i].Total
		for phase, spent := range c.before[i].Work {
			run[i].Work[phase] -= spent
		}
	}
	c.before, c.runs = now, append(c.runs, run)
	return nil
}

// of is what some nodes take, each by the clock: the median over the runs. A
// neighbour's burst falls on some nodes of some runs, and so on no median, where of
// the runs' sums each would have one.
func (c *nodeClock) of(nodes []int) (sum float64) {
	runs := make([]float64, len(c.runs))
	for _, i := range nodes {
		for run, stats := range c.runs {
			runs[run] = stats[i].Total.Seconds()
		}
		sum += median(runs)
	}
	return sum
}
