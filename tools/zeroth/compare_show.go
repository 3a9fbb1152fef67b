package main

import (
	"fmt"
	"io"
	"strings"

	"zeroth/tools/compare"
	"zeroth/tools/report"
)

// worstShown is how many nodes are listed unless all are.
const worstShown = 10

// show prints the report.
func (k *comparison) show(stdout io.Writer, r *compare.Report) error {
	return k.Measuring.show(stdout, r, func(b *strings.Builder) error {
		fmt.Fprintf(b, "backend %s: %s\nreference %s: %s\n%s\n", r.Backend.Name, r.Backend.About, r.Reference.Name, r.Reference.About, runOf(r))
		list, what := compare.WorstFirst(r.Nodes), "worst first"
		if k.All {
			list, what = nil, "in order"
			for i := range r.Nodes {
				list = append(list, &r.Nodes[i])
			}
		} else if len(list) > worstShown {
			list, what = list[:worstShown], fmt.Sprintf("the worst %d of %d; --all lists them in order", worstShown, len(list))
		}
		rows := make([]string, len(list))
		for i, n := range list {
			rows[i] = fmt.Sprintf("%.2g\t%.2g\t%.2g\t%.2g\t%.2g\t%.2g\t%.2g\t  %d %s %s, %s, %s%s", n.Alone.NMSE, n.Limit, max(n.Alone.Row, n.Alone.Column),
				n.Alone.Pair, n.Alone.Max, n.InRun.NMSE, n.RunLimit, n.Index, n.Op, n.Name, n.Type, n.Kernel, mark(n))
		}
		if err := table(b, "alone\tlimit\tworst line\tpairs\tmax error\tin the run\tlimit\t  node, type, kernel ("+what+")", rows); err != nil {
			return err
		}
		printTraining(b, r.Training)
		faulty := compare.Faulty(r.Nodes)
		for _, n := range faulty[:min(len(faulty), worstShown)] {
			fmt.Fprintf(b, "FAULT %s: %s\n", n, n.Fault)
		}
		return nil
	})
}

func runOf(r *compare.Report) string {
	e := &r.Extents
	return fmt.Sprintf("%s of %s: %d nodes, %d copies, %d tokens, %d rows", r.Method, r.Program, len(r.Nodes), e.Width, e.N, e.R)
}

func mark(n *compare.Node) string {
	switch {
	case n.Fault != "":
		return "  FAULT"
	case n.RunFault != "":
		return "  off in the run"
	}
	return ""
}

func printTraining(b *strings.Builder, t *compare.Training) {
	if t == nil {
		return
	}
	fmt.Fprintf(b, "\nloss       %.7g, reference %.7g: off by %.2g of it, limit %g\n", t.Loss, t.ReferenceLoss, t.LossDifference(), t.LossLimit)
	fmt.Fprintf(b, "gradients  %d directions of eps %g: correlation %.6f (limit %g), slope %.5f, relative error %.2g, same sign %s, size %.4g\n",
		t.Directions, t.Eps, t.Correlation, t.CorrelationLimit, t.Slope, t.RelativeError, percent(t.SameSign), t.Size)
	fmt.Fprintf(b, "update     same bits of B at %d of %d sites\n", t.Sites-t.Moved, t.Sites)
}

// page is the report as a page.
func (k *comparison) page(r *compare.Report) report.Comparison {
	c := report.Comparison{Title: r.Program, Verdict: "No node is past its limit."}
	if r.Fault != "" {
		c.Verdict = r.Fault
	}
	c.Settings = []report.Pair{
		{Name: "backend", Value: r.Backend.Name + ": " + r.Backend.About},
		{Name: "reference", Value: r.Reference.Name + ": " + r.Reference.About},
		{Name: "run", Value: runOf(r)},
		{Name: "eps", Value: fmt.Sprint(k.Probe.Eps[0])},
		{Name: "seed", Value: fmt.Sprint(k.Probe.Seed)},
	}
	for i := range r.Nodes {
		n := &r.Nodes[i]
		fault := n.Fault
		if fault == "" && n.RunFault != "" {
			fault = "in the run: " + n.RunFault
		}
		c.Nodes = append(c.Nodes, report.ComparedNode{
			Node: n.Op + " " + n.Name, Type: n.Type, Kernel: n.Kernel, Alone: n.Alone.NMSE, Limit: n.Limit, Pairs: n.Alone.Pair,
			InRun: n.InRun.NMSE, RunLimit: n.RunLimit, Max: n.Alone.Max, Fault: fault,
		})
	}
	c.Facts = []report.Pair{{Name: "nodes", Value: fmt.Sprint(len(r.Nodes))}, {Name: "past their limit", Value: fmt.Sprint(len(compare.Faulty(r.Nodes)))}}
	if t := r.Training; t != nil {
		c.Facts = append(c.Facts,
			report.Pair{Name: "loss", Value: fmt.Sprintf("%.6g, reference %.6g", t.Loss, t.ReferenceLoss)},
			report.Pair{Name: "correlation of gradients", Value: fmt.Sprintf("%.6f over %d directions", t.Correlation, t.Directions)},
			report.Pair{Name: "same bits of B after an update", Value: fmt.Sprintf("%d of %d sites", t.Sites-t.Moved, t.Sites)})
	}
	return c
}
