package study

import (
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Curve is the loss of a method's runs against rows.
type Curve struct {
	Rows             []float64
	Low, Median, Top []float64 // over the runs
}

// Curve takes the runs together, evaluation by evaluation: all have the same
// number unless one diverged, which leaves no curve beyond its end.
func (o *Outcome) Curve() Curve {
	var c Curve
	if len(o.Runs) == 0 {
		return c
	}
	shortest := len(o.Runs[0].Points)
	for _, r := range o.Runs {
		shortest = min(shortest, len(r.Points))
	}
	for i := range shortest {
		var losses, rows []float64
		for _, r := range o.Runs {
			losses, rows = append(losses, r.Points[i].Loss), append(rows, float64(r.Points[i].Rows))
		}
		c.Rows = append(c.Rows, median(rows))
		c.Low, c.Top = append(c.Low, slices.Min(losses)), append(c.Top, slices.Max(losses))
		c.Median = append(c.Median, median(losses))
	}
	return c
}

// Final is the median of the runs' final losses.
func (o *Outcome) Final() float64 { return medianFinal(o.Runs) }

// Accuracy is the median of the runs' final accuracies; NaN where there is none.
func (o *Outcome) Accuracy() float64 {
	var list []float64
	for _, r := range o.Runs {
		if n := len(r.Points); n > 0 && r.Points[n-1].Accuracy != nil {
			list = append(list, *r.Points[n-1].Accuracy)
		}
	}
	return median(list)
}

// RowsTo is how many rows the median curve takes to a loss, found between two
// evaluations along a line; +Inf if it does not come there.
func (c *Curve) RowsTo(loss float64) float64 {
	for i, at := range c.Median {
		if at > loss {
			continue
		}
		if i == 0 {
			return c.Rows[0]
		}
		before := c.Median[i-1]
		return c.Rows[i-1] + (c.Rows[i]-c.Rows[i-1])*(before-loss)/(before-at)
	}
	return math.Inf(1)
}

// Row is a line of a study's table.
type Row struct {
	*Outcome
	Curve Curve
	Rows  float64 // that a run took
	// ToBaseline is how many rows the median takes to the baseline's final
	// loss, Saved what the baseline took over that.
	ToBaseline, Saved float64
}

// Table puts the outcomes beside the baseline of their task.
func Table(outcomes []Outcome, baseline string) []Row {
	finals, budgets := map[string]float64{}, map[string]float64{}
	var rows []Row
	for i := range outcomes {
		o := &outcomes[i]
		row := Row{Outcome: o, Curve: o.Curve()}
		if n := len(row.Curve.Rows); n > 0 {
			row.Rows = row.Curve.Rows[n-1]
		}
		if o.Method == baseline {
			finals[o.Task], budgets[o.Task] = o.Final(), row.Rows
		}
		rows = append(rows, row)
	}
	for i := range rows {
		r := &rows[i]
		final, there := finals[r.Task]
		if !there {
			final = math.NaN()
		}
		r.ToBaseline = r.Curve.RowsTo(final)
		r.Saved = budgets[r.Task] / r.ToBaseline
	}
	return rows
}

// Words writes flags as on a command line, in order.
func (f Flags) Words() string {
	var words []string
	for name, value := range f {
		word := "--" + name
		if value != "true" {
			word += " " + string(value)
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// Own are the flags of an outcome without those that its task has.
func (o *Outcome) Own(task Flags) Flags {
	own := Flags{}
	for name, value := range o.Flags {
		if task[name] != value {
			own[name] = value
		}
	}
	return own
}

// columns are those of WriteCSV.
var columns = []string{"task", "method", "flags", "lr", "seed", "step", "rows", "loss", "accuracy"}

// WriteCSV writes every evaluation of the outcomes' runs as a line.
func WriteCSV(w io.Writer, outcomes []Outcome) error {
	c := csv.NewWriter(w)
	shown := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	lines := [][]string{columns}
	for _, o := range outcomes {
		for _, r := range o.Runs {
			for _, p := range r.Points {
				accuracy := ""
				if p.Accuracy != nil {
					accuracy = shown(*p.Accuracy)
				}
				lines = append(lines, []string{
					o.Task, o.Method, o.Flags.Words(), shown(o.LR), strconv.FormatUint(r.Cell.Seed, 10),
					strconv.FormatUint(p.Step, 10), strconv.FormatInt(p.Rows, 10), shown(p.Loss), accuracy,
				})
			}
		}
	}
	return c.WriteAll(lines)
}
