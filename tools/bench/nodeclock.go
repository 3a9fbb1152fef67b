package bench

import "zeroth/runtime/executor"

// nodeClock takes down the time of every node in each run of a step.
type nodeClock struct {
	runner *runner
	before []executor.NodeStats // of the methods losses and update, as last read
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
	for _, name := range stepMethods {
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

// stepMethods are those that a step runs, in order.
var stepMethods = []string{"losses", "update"}

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
