package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
)

// maxMarks is the most evaluations marked in one picture.
const maxMarks = 400

// figure is a picture with its heading, legend and notes.
type figure struct {
	Title   string
	Dots    string // legend of the light points; empty: none
	Line    string // legend of the bold curve
	Marks   string // legend of the marked points
	Picture template.HTML
	Notes   []string
}

// curves are the pictures of a run over its steps. All share one x axis.
type curves struct {
	steps []Step // by number
	evals []Eval // by step
	score string // of the evaluations
	x     axis
}

func newCurves(d *Data) *curves {
	c := &curves{steps: slices.Clone(d.Steps), evals: slices.Clone(d.Evals), score: d.score()}
	slices.SortStableFunc(c.steps, func(a, b Step) int { return cmp.Compare(a.Number, b.Number) })
	slices.SortStableFunc(c.evals, func(a, b Eval) int { return cmp.Compare(a.Step, b.Step) })
	var s span
	for _, step := range c.steps {
		s.add(float64(step.Number))
	}
	for _, e := range c.evals {
		s.add(float64(e.Step))
	}
	c.x = stepAxis(s, 6)
	return c
}

// figures draws those of the curves that have something to show.
func (c *curves) figures(text bool) []figure {
	var out []figure
	add := func(f *figure) {
		if f != nil {
			out = append(out, *f)
		}
	}
	add(c.loss())
	add(c.accuracy())
	if text {
		add(c.perplexity())
	}
	add(c.gradient())
	add(c.learningRate())
	return out
}

func (c *curves) loss() *figure {
	ch := chart{id: "loss", title: "Loss over steps", unit: "loss (nats)", height: 280}
	f := figure{Title: "Loss"}
	c.overSteps(&ch, &f, func(s *Step) float64 { return s.Loss })
	if len(ch.dots) > 0 {
		f.Dots = "training batch, one step"
	}
	c.markEvals(&ch, &f, "held-out loss", func(e *Eval) float64 { return e.Loss }, formatValue)
	return c.finish(&ch, &f)
}

func (c *curves) accuracy() *figure {
	ch := chart{id: "accuracy", title: "Held-out " + c.score + " over steps", unit: c.score + " (%)", height: 190}
	f := figure{Title: strings.ToUpper(c.score[:1]) + c.score[1:]}
	c.markEvals(&ch, &f, "held-out "+c.score, func(e *Eval) float64 { return 100 * e.Accuracy },
		func(v float64) string { return formatPercent(v / 100) })
	return c.finish(&ch, &f)
}

func (c *curves) perplexity() *figure {
	ch := chart{id: "perplexity", title: "Held-out perplexity over steps", unit: "perplexity (e to the loss)", height: 190}
	f := figure{Title: "Perplexity"}
	c.markEvals(&ch, &f, "held-out perplexity", func(e *Eval) float64 { return math.Exp(e.Loss) }, formatValue)
	return c.finish(&ch, &f)
}

func (c *curves) gradient() *figure {
	ch := chart{id: "gradient", title: "Projected gradient over steps", unit: "|g| (nats per unit of direction)", height: 130}
	f := figure{Title: "Projected gradient"}
	c.overSteps(&ch, &f, func(s *Step) float64 { return s.ProjGradNorm })
	if len(ch.dots) > 0 {
		f.Dots = "one step"
	}
	return c.finish(&ch, &f)
}

// learningRate is a picture only if the rate changes; otherwise the settings
// say all.
func (c *curves) learningRate() *figure {
	var rates span
	var points []point
	for i, s := range c.steps {
		if rates.add(s.LR); drawable(s.LR) {
			points = append(points, point{float64(s.Number), s.LR, i})
		}
	}
	if rates.lo == rates.hi {
		return nil
	}
	ch := chart{id: "rate", title: "Learning rate over steps", unit: "learning rate", height: 90, line: thin(points, maxDrawn)}
	return c.finish(&ch, &figure{Title: "Learning rate", Line: "rate of each step"})
}

// overSteps adds one value of each step as dots, and their running mean.
func (c *curves) overSteps(ch *chart, f *figure, value func(*Step) float64) {
	points := make([]point, 0, len(c.steps))
	for i := range c.steps {
		if v := value(&c.steps[i]); drawable(v) {
			points = append(points, point{float64(c.steps[i].Number), v, i})
		}
	}
	all := plural(len(c.steps), "step")
	if left := len(c.steps) - len(points); left > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("Not drawn, for want of a finite value: %s of %s.", formatCount(int64(left)), all))
	}
	ch.dots = thin(points, maxDrawn)
	if ch.band = len(points) > maxDrawn; ch.band {
		f.Notes = append(f.Notes, fmt.Sprintf("Thinned from %s to %s points, every extreme kept.", formatCount(int64(len(points))), formatCount(int64(len(ch.dots)))))
	}
	if len(points) < 2 {
		return
	}
	window := meanWindow(len(points))
	mean := runningMean(points, window)
	if len(mean) > window {
		mean = mean[window/5:] // the first means are of hardly any steps
	}
	ch.line = thin(mean, maxDrawn)
	f.Line = fmt.Sprintf("mean of the last %d steps", window)
}

// markEvals adds one value of each evaluation as a marked point. The best ones
// are always among those drawn.
func (c *curves) markEvals(ch *chart, f *figure, name string, value func(*Eval) float64, format func(float64) string) {
	var points []point
	for i := range c.evals {
		if v := value(&c.evals[i]); drawable(v) {
			points = append(points, point{float64(c.evals[i].Step), v, i})
		}
	}
	drawn := thin(points, maxMarks)
	if len(drawn) < len(points) {
		drawn = slices.Clone(drawn)
		for _, p := range points {
			if c.evals[p.index].Best {
				drawn = append(drawn, p)
			}
		}
		slices.SortFunc(drawn, func(a, b point) int { return cmp.Compare(a.index, b.index) })
		drawn = slices.CompactFunc(drawn, func(a, b point) bool { return a.index == b.index })
	}
	for _, p := range drawn {
		e := &c.evals[p.index]
		step := formatCount(int64(e.Step))
		m := mark{x: p.x, y: p.y, best: e.Best, hover: fmt.Sprintf("%s %s at step %s", name, format(p.y), step)}
		if e.Examples > 0 {
			m.hover += ", " + plural(e.Examples, "example")
		}
		if e.Best {
			m.label = "best: " + format(p.y)
			m.hover += ", the best"
		}
		ch.marks = append(ch.marks, m)
	}
	if len(drawn) > 0 {
		f.Marks = name
	}
}

// finish fits the y axis, says in words what the picture shows, and draws it;
// nil if it is empty.
func (c *curves) finish(ch *chart, f *figure) *figure {
	var s span
	for _, points := range [][]point{ch.dots, ch.line} {
		for _, p := range points {
			s.add(p.y)
		}
	}
	for _, m := range ch.marks {
		s.add(m.y)
	}
	if !s.any {
		return nil
	}
	ch.x, ch.y = c.x, valueAxis(s, max(3, int(ch.height/50)))
	ch.description = describe(ch)
	f.Picture = ch.draw()
	return f
}

func describe(ch *chart) string {
	text := fmt.Sprintf("%s from step %s to %s.", ch.unit, formatStep(ch.x.lo), formatStep(ch.x.hi))
	if n := len(ch.line); n > 0 {
		text += fmt.Sprintf(" The curve goes from %s to %s.", formatValue(ch.line[0].y), formatValue(ch.line[n-1].y))
	}
	if n := len(ch.marks); n > 0 {
		text += fmt.Sprintf(" First %s; last %s.", ch.marks[0].hover, ch.marks[n-1].hover)
	}
	return text
}
