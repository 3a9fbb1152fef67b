package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"zeroth/graph/pass"
	"zeroth/mpzo/train"
	"zeroth/runtime/backend"
	"zeroth/runtime/executor"
	"zeroth/runtime/plan"
	"zeroth/runtime/platform"
)

// runProfile is what profile.json holds: where the time and the memory went.
type runProfile struct {
	Threads       int     `json:"threads"`
	Backend       string  `json:"backend"`
	Seconds       float64 `json:"seconds"`
	Steps         uint64  `json:"steps"`
	RowsPerSecond float64 `json:"rows_per_second"`
	PeakBytes     int64   `json:"peak_resident_bytes"`
	ArenaBytes    int     `json:"arena_bytes"`
	ConstantBytes int     `json:"constant_bytes"`
	// Device is the memory that a device holds, of a backend that has one.
	Device *backend.Memory `json:"device_memory,omitempty"`
	// The most that went to the device in a step, and back; the first not counted.
	StepMovedUp   int64 `json:"step_moved_up,omitempty"`
	StepMovedDown int64 `json:"step_moved_down,omitempty"`

	Ops  []opTime  `json:"ops"`
	Plan planShape `json:"plan"`
}

// opTime sums the nodes of one op and kernel.
type opTime struct {
	Op      string  `json:"op"`
	Kernel  string  `json:"kernel"`
	Nodes   int     `json:"nodes"`
	Runs    int64   `json:"runs"`
	Seconds float64 `json:"seconds"`
}

// planShape is a method's memory plan.
type planShape struct {
	Method     string     `json:"method"`
	Bytes      int        `json:"bytes"`
	LowerBound int        `json:"lower_bound"`
	Nodes      []string   `json:"nodes"`
	Items      []planItem `json:"items"`
	// Device is the memory that a device holds, beside the arena.
	Device *backend.Memory `json:"device_memory,omitempty"`
}

type planItem struct {
	Name   string `json:"name"`
	Offset int    `json:"offset"`
	Bytes  int    `json:"bytes"`
	First  int    `json:"first"`
	Last   int    `json:"last"`
}

func (r *trainRun) profile() runProfile {
	s := r.model.Session()
	p := runProfile{
		Threads: s.Threads(), Backend: r.engine.Backend, Seconds: time.Since(r.display.started).Seconds(),
		Steps: r.display.steps, RowsPerSecond: r.display.rowsPerSecond(),
		PeakBytes: platform.PeakResidentBytes(), ArenaBytes: s.ArenaBytes(), ConstantBytes: weightBytes(s.Program()),
		Device: delegateMemory(s), StepMovedUp: r.display.traffic.stepUp, StepMovedDown: r.display.traffic.stepDown,
	}
	var stats []executor.NodeStats
	estimator := r.trainer.Settings.Estimator
	for _, name := range slices.Compact([]string{pass.MethodPrefix, train.MethodLosses, estimator.Method(), train.MethodUpdate}) {
		m, err := s.Method(name)
		if err != nil {
			continue // without a prefix cache there is no such method; NewModel has seen the others
		}
		stats = append(stats, m.Stats()...)
		if name == estimator.Method() {
			p.Plan = shapeOf(name, m)
		}
	}
	p.Ops = sumByKernel(stats)
	return p
}

// sumByKernel adds up the nodes of each op and kernel, the longest first.
func sumByKernel(stats []executor.NodeStats) []opTime {
	var ops []opTime
	for _, s := range stats {
		i := slices.IndexFunc(ops, func(o opTime) bool { return o.Op == s.OpName() && o.Kernel == s.Kernel })
		if i < 0 {
			i = len(ops)
			ops = append(ops, opTime{Op: s.OpName(), Kernel: s.Kernel})
		}
		ops[i].Nodes++
		ops[i].Runs += s.Runs
		ops[i].Seconds += s.Total.Seconds()
	}
	slices.SortFunc(ops, func(a, b opTime) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return ops
}

func shapeOf(name string, m *executor.Method) planShape {
	out := planShape{Method: name, Nodes: m.NodeNames()}
	fillPlan(&out, m.Plan())
	return out
}

func fillPlan(out *planShape, p *plan.Plan) {
	out.Bytes, out.LowerBound = p.Bytes, p.LowerBound
	for _, item := range p.Items {
		out.Items = append(out.Items, planItem{item.Name, item.Offset, item.Bytes, item.First, item.Last})
	}
}

// printOps prints a profile as a table, the longest first.
func printOps(out io.Writer, ops []opTime) error {
	total := 0.0
	for _, o := range ops {
		total += o.Seconds
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nseconds\tshare\tnodes\truns\t  op\t  kernel\t")
	for _, o := range ops {
		share := 0.0
		if total > 0 {
			share = 100 * o.Seconds / total
		}
		fmt.Fprintf(w, "%.3f\t%.1f %%\t%d\t%d\t  %s\t  %s\t\n", o.Seconds, share, o.Nodes, o.Runs, o.Op, o.Kernel)
	}
	return w.Flush()
}
