package bench

import (
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
)

// nodeClock takes down the time of every node in each run of a step.
type nodeClock struct {
	runner *runner
	before []executor.NodeStats // of the estimator's method and update, as last read
	runs   [][]float64          // seconds by run and node
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
	for _, name := range []string{c.runner.estimator.Method(), train.MethodUpdate} {
		m, err := c.runner.model.Session().Method(name)
		if err != nil {
			return err
		}
		now = append(now, m.Stats()...)
	}
	seconds := make([]float64, len(now))
	for i, s := range now {
		seconds[i] = s.Total.Seconds()
		if c.before != nil {
			seconds[i] -= c.before[i].Total.Seconds()
		}
	}
	c.runs = append(c.runs, seconds)
	c.before = now
	return nil
}

// of is the median over the runs of what the listed nodes took together.
func (c *nodeClock) of(nodes []int) float64 {
	sums := make([]float64, len(c.runs))
	for run, seconds := range c.runs {
		for _, i := range nodes {
			sums[run] += seconds[i]
		}
	}
	return median(sums)
}
