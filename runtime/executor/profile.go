package executor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"zeroth/runtime/backend"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// NodeStats is the time that a node has taken since the session was made.
type NodeStats struct {
	Op     op.ID // 0 for a partition whose delegate does not time its nodes
	Node   string
	Kernel string // or the delegate
	Runs   int64
	Total  time.Duration
	// Delegated tells that no kernel of the host's ran it.
	Delegated bool
	// Work is what the workers spent on it altogether, by the phases of package
	// kernel; all zero unless the session times phases, and for a delegate's nodes.
	Work platform.Spent
}

// profiler keeps the latest events in a ring, so that recording allocates
// nothing however long a session lasts.
type profiler struct {
	origin time.Time
	events []event
	next   int
	full   bool
}

type event struct {
	step     *step
	start    time.Duration // since origin
	duration time.Duration
}

const traceEvents = 1 << 16

func newProfiler() *profiler {
	return &profiler{origin: time.Now(), events: make([]event, traceEvents)}
}

// TimePhases makes a session that was made with Options.Profile take down what its
// workers spend on each node (see NodeStats). That slows small nodes down.
func (s *Session) TimePhases() { s.pool.TimePhases() }

func (p *profiler) record(s *step, start time.Time, d time.Duration) {
	s.stats.Runs++
	s.stats.Total += d
	if s.part != nil {
		s.part.time()
	}
	p.events[p.next] = event{s, start.Sub(p.origin), d}
	p.next++
	if p.next == len(p.events) {
		p.next, p.full = 0, true
	}
}

// time adds up what the nodes of a partition took, if its executable says so.
func (p *part) time() {
	timer, ok := p.executable.(backend.NodeTimer)
	if !ok {
		return
	}
	seconds := timer.NodeTimes()
	if len(seconds) != len(p.partition.Nodes) {
		return
	}
	if p.stats == nil {
		p.stats = make([]NodeStats, len(seconds))
	}
	for i, s := range seconds {
		p.stats[i].Runs++
		p.stats[i].Total += time.Duration(s * float64(time.Second))
	}
}

// OpName names the op, or says that it is a partition.
func (s *NodeStats) OpName() string { return opName(s.Op) }

// Stats gives the time of each node, in the order in which they run; all zero
// unless the session was made with Options.Profile. A partition counts as one
// where its delegate does not time its nodes.
func (m *Method) Stats() []NodeStats {
	var stats []NodeStats
	for i := range m.steps {
		s := &m.steps[i]
		if s.part != nil && s.part.stats != nil {
			for k, n := range s.part.stats {
				node := &s.part.partition.Nodes[k]
				n.Op, n.Node, n.Kernel, n.Delegated = node.Spec.ID, node.Name, s.runs, true
				stats = append(stats, n)
			}
			continue
		}
		n := s.stats
		n.Op, n.Node, n.Kernel, n.Delegated = s.node.Op, s.node.Name, s.runs, s.part != nil
		stats = append(stats, n)
	}
	return stats
}

// WriteTrace writes the latest events (at most 65,536) in Chrome's trace event
// format, to be opened in chrome://tracing or Perfetto.
func (s *Session) WriteTrace(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, `{"displayTimeUnit":"ms","traceEvents":[`)
	if s.profiler != nil {
		for i, e := range s.profiler.inOrder() {
			if i > 0 {
				fmt.Fprint(out, ",")
			}
			line, err := json.Marshal(traceEvent(e))
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "\n%s", line)
		}
	}
	fmt.Fprint(out, "\n]}\n")
	return out.Flush()
}

func (p *profiler) inOrder() []event {
	if !p.full {
		return p.events[:p.next]
	}
	return append(append([]event(nil), p.events[p.next:]...), p.events[:p.next]...)
}

// traceEvent is a complete event ("ph":"X") with times in microseconds.
func traceEvent(e event) map[string]any {
	return map[string]any{
		"name": opName(e.step.node.Op) + " " + e.step.node.Name,
		"cat":  opName(e.step.node.Op),
		"ph":   "X", "pid": 1, "tid": 1,
		"ts":  float64(e.start.Nanoseconds()) / 1e3,
		"dur": float64(e.duration.Nanoseconds()) / 1e3,
		"args": map[string]string{
			"kernel": e.step.runs,
		},
	}
}
