package report

import (
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
)

// Comparison is a method that ran on two backends, node by node.
type Comparison struct {
	Title    string
	Verdict  string // in one sentence
	Facts    []Pair
	Settings []Pair
	Nodes    []ComparedNode // in the order of execution
}

// ComparedNode is what came of one node. Errors are normalised mean squared ones:
// Σ(a−b)²/Σb².
type ComparedNode struct {
	Node, Type, Kernel string
	Alone, Limit       float64 // with the reference's inputs
	Pairs              float64 // of the differences of ± pairs
	InRun, RunLimit    float64 // with the errors of all nodes before it
	Max                float64 // largest difference of an element, alone
	Fault              string  // what is past its limit; empty: nothing
}

//go:embed comparison.html
var comparisonTemplate string

// WriteComparison writes the page of a comparison.
func WriteComparison(w io.Writer, c Comparison) error {
	return render(w, comparisonTemplate, newComparisonView(&c))
}

const (
	maxComparedRows  = 5000 // nodes listed
	comparisonHeight = 300.0
	lowestPower      = -18 // 10^ of the lower end of the picture
	highestPower     = 2
)

type comparisonView struct {
	Style          template.CSS
	Title, Verdict string
	Facts          []Pair
	Settings       []Pair
	Picture        template.HTML
	Faults         bool
	Notes          []string
	Rows           []comparedRow
}

type comparedRow struct {
	Index, Node, Type, Kernel, Fault          string
	Alone, Limit, Pairs, InRun, RunLimit, Max string
}

func newComparisonView(c *Comparison) *comparisonView {
	v := &comparisonView{
		Style: template.CSS(pageStyle), Title: clean(c.Title, maxName), Verdict: clean(c.Verdict, maxValue),
		Facts: cleanPairs(c.Facts, maxFact), Settings: cleanPairs(c.Settings, maxValue),
	}
	if len(c.Nodes) == 0 {
		v.Notes = append(v.Notes, "No nodes were compared.")
		return v
	}
	nodes := c.Nodes
	if len(nodes) > maxComparedRows {
		v.Notes = append(v.Notes, fmt.Sprintf("The first %s of %s nodes are shown.", formatCount(maxComparedRows), formatCount(int64(len(nodes)))))
		nodes = nodes[:maxComparedRows]
	}
	for i, n := range nodes {
		v.Faults = v.Faults || n.Fault != ""
		v.Rows = append(v.Rows, comparedRow{
			Index: formatCount(int64(i)), Node: clean(n.Node, maxName), Type: clean(n.Type, maxName), Kernel: clean(n.Kernel, maxName),
			Fault: clean(n.Fault, maxFact), Alone: formatError(n.Alone), Limit: formatError(n.Limit), Pairs: formatError(n.Pairs),
			InRun: formatError(n.InRun), RunLimit: formatError(n.RunLimit), Max: formatError(n.Max),
		})
	}
	v.Picture = drawErrors(nodes)
	return v
}

// drawErrors draws a bar for each node on a logarithmic scale: what it does in the
// run behind what it does alone. Errors of 0 have no bar.
func drawErrors(nodes []ComparedNode) template.HTML {
	var s canvas
	openPicture(&s, "errors", "Error by node", fmt.Sprintf("The normalised mean squared error of %s in the order of execution, on a logarithmic scale.",
		plural(len(nodes), "node")), comparisonHeight)
	x := stepAxis(span{lo: 0, hi: float64(len(nodes)), any: true}, 8)
	y := powerAxis()
	drawFrame(&s, &x, &y, comparisonHeight, "NMSE", "node, in the order of execution")
	for i, n := range nodes {
		bar := func(class string, value, inset float64) {
			height := comparisonHeight * y.at(power(value))
			if !(value > 0) || height <= 0 {
				return
			}
			left := x.at(float64(i) + inset)
			s.begin("rect", "class", class, "x", percent(left), "width", percent(x.at(float64(i)+1-inset)-left),
				"y", pixels(roomAbove+comparisonHeight-height), "height", pixels(height))
			s.text("title", fmt.Sprintf("%d %s\nalone %s of %s, in the run %s of %s", i, clean(n.Node, maxName),
				formatError(n.Alone), formatError(n.Limit), formatError(n.InRun), formatError(n.RunLimit)))
			s.end("rect")
		}
		bar("run", n.InRun, 0)
		class := "alone"
		if n.Fault != "" {
			class = "fault"
		}
		bar(class, n.Alone, 0.2)
		at := pixels(roomAbove + comparisonHeight*(1-y.at(power(n.Limit))))
		s.empty("line", "class", "limit", "x1", percent(x.at(float64(i))), "x2", percent(x.at(float64(i)+1)), "y1", at, "y2", at)
	}
	s.end("svg")
	return s.html()
}

// powerAxis goes by powers of ten.
func powerAxis() axis {
	a := axis{lo: lowestPower, hi: highestPower, format: func(v float64) string {
		return "1e" + strconv.Itoa(int(v))
	}}
	for p := lowestPower; p <= highestPower; p += 4 {
		a.ticks = append(a.ticks, float64(p))
	}
	return a
}

// power is the logarithm of an error, held to the picture; what is no number is
// at its top.
func power(v float64) float64 {
	p := math.Log10(v)
	if math.IsNaN(p) {
		return highestPower
	}
	return min(max(p, lowestPower), highestPower)
}

// formatError writes an error to two digits.
func formatError(v float64) string {
	switch {
	case v == 0:
		return "0"
	case !drawable(v):
		return "–"
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}
