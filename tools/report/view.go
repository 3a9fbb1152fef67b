package report

import (
	"cmp"
	"html/template"
	"math"
	"slices"
)

// maxRows is the most rows of the table of evaluations.
const maxRows = 500

// view is what the template fills in: all text ready to print.
type view struct {
	Style    template.CSS
	Title    string
	Facts    []Pair
	Settings []Pair
	Figures  []figure
	Evals    evalTable
	Ops      opTable
	Plan     *arena
}

// evalTable holds the evaluations as numbers, for those who cannot or would
// not read them off a picture.
type evalTable struct {
	Rows                 []evalRow
	Accuracy, Perplexity bool // columns
	Score, Count, Left   string
}

type evalRow struct {
	Step, Loss, Accuracy, Perplexity, Examples string
	Best                                       bool
}

type opTable struct {
	Rows  []opRow
	Total string
}

type opRow struct {
	Op, Kernel, Nodes, Runs, Time, Share string
	Width                                string // of the bar: its share of the longest
}

func newView(d *Data) *view {
	v := &view{
		Style: template.CSS(pageStyle), Title: clean(d.Title, maxName),
		Facts: cleanPairs(d.Facts, maxFact), Settings: cleanPairs(d.Settings, maxValue),
		Evals: newEvalTable(d), Ops: newOpTable(d.Ops),
	}
	if len(d.Steps)+len(d.Evals) > 0 {
		v.Figures = newCurves(d).figures(d.Text)
	}
	if d.Plan != nil {
		v.Plan = newArena(d.Plan)
	}
	return v
}

func cleanPairs(pairs []Pair, limit int) []Pair {
	out := make([]Pair, len(pairs))
	for i, p := range pairs {
		out[i] = Pair{clean(p.Name, maxName), clean(p.Value, limit)}
	}
	return out
}

func newEvalTable(d *Data) evalTable {
	t := evalTable{Perplexity: d.Text, Score: d.score(), Count: plural(len(d.Evals), "evaluation")}
	rows := d.Evals
	if len(rows) > maxRows {
		rows = rows[len(rows)-maxRows:]
		t.Left = formatCount(int64(len(d.Evals) - maxRows))
	}
	for _, e := range rows {
		r := evalRow{
			Step: formatCount(int64(e.Step)), Loss: formatValue(e.Loss), Accuracy: "–",
			Perplexity: formatValue(math.Exp(e.Loss)), Examples: formatCount(int64(e.Examples)), Best: e.Best,
		}
		if drawable(e.Accuracy) {
			r.Accuracy, t.Accuracy = formatPercent(e.Accuracy), true
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// newOpTable sorts by time, the longest first, with each op's share of the
// total. Times that are no times count as 0.
func newOpTable(ops []OpTime) opTable {
	ops = slices.Clone(ops)
	total := 0.0
	for i := range ops {
		if s := ops[i].Seconds; !(s > 0 && s < 1e15) {
			ops[i].Seconds = 0
		}
		total += ops[i].Seconds
	}
	slices.SortStableFunc(ops, func(a, b OpTime) int { return cmp.Compare(b.Seconds, a.Seconds) })
	t := opTable{Total: formatSeconds(total)}
	for _, o := range ops {
		share, width := 0.0, 0.0
		if total > 0 {
			share, width = o.Seconds/total, o.Seconds/ops[0].Seconds
		}
		t.Rows = append(t.Rows, opRow{
			Op: clean(o.Op, maxName), Kernel: clean(o.Kernel, maxName),
			Nodes: formatCount(int64(o.Nodes)), Runs: formatCount(o.Runs),
			Time: formatSeconds(o.Seconds), Share: formatPercent(share), Width: percent(width),
		})
	}
	return t
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return formatCount(int64(n)) + " " + noun
}
