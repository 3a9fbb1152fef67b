package bench

import (
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
)

// nodeClock takes down the time of every node in each run of some methods.
type nodeClock struct {
	session *executor.Session
	methods []string
	before  []executor.NodeStats // as last read
	runs    [][]float64          // seconds by run and node
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

// of is what the listed nodes take: the sum of each one's median over the runs. A
// neighbour's burst falls on some nodes of some runs, and so on no median, where of
// the runs' sums each would have one.
func (c *nodeClock) of(nodes []int) (sum float64) {
	runs := make([]float64, len(c.runs))
	for _, i := range nodes {
		for run, seconds := range c.runs {
			runs[run] = seconds[i]
		}
		sum += median(runs)
	}
	return sum
}

// all is what all nodes take.
func (c *nodeClock) all() float64 {
	nodes := make([]int, len(c.before))
	for i := range nodes {
		nodes[i] = i
	}
	return c.of(nodes)
}
