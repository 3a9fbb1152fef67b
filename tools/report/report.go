package report

import (
	"bytes"
	_ "embed" // the page's template and style
	"fmt"
	"html/template"
	"io"
)

// Data is what a page shows. Every part may be empty.
type Data struct {
	Title    string // such as the name of the run's folder
	Facts    []Pair // headline numbers as text
	Settings []Pair
	Steps    []Step
	Evals    []Eval
	Text     bool // evaluation is of text: perplexity is shown too
	Ops      []OpTime
	Plan     *Plan  // nil: no picture
	Score    string // what Eval.Accuracy is, such as F1; empty: accuracy
}

// score is the name of Eval.Accuracy.
func (d *Data) score() string {
	if name := clean(d.Score, maxName); name != "" {
		return name
	}
	return "accuracy"
}

// Pair is a name and its value as text.
type Pair struct{ Name, Value string }

// Step is one optimisation step.
type Step struct {
	Number       int
	Loss, LR     float64 // loss in nats; what is not finite is left out
	ProjGradNorm float64 // size of the projected gradient, loss per unit of direction
}

// Eval is one evaluation on held-out examples.
type Eval struct {
	Step     int
	Loss     float64 // nats
	Accuracy float64 // or what Data.Score names, 0 to 1; NaN: none
	Examples int
	Best     bool // the evaluation whose adapter was kept
}

// OpTime is the time spent in the nodes of one op and kernel.
type OpTime struct {
	Op, Kernel string
	Nodes      int
	Runs       int64
	Seconds    float64 // of all runs together
}

// Plan is a method's memory plan.
type Plan struct {
	Method            string
	Bytes, LowerBound int      // of the arena; the most bytes live at one node
	Nodes             []string // names in the order of execution
	Items             []Item
}

// Item is a range of the arena, held from node First to node Last, both
// included. A name that begins with "scratch of " marks a kernel's scratch.
type Item struct {
	Name                       string
	Offset, Bytes, First, Last int
}

//go:embed page.html
var pageTemplate string

// partsTemplate defines what all pages have.
//
//go:embed parts.html
var partsTemplate string

//go:embed page.css
var pageStyle string

// Write writes the page. Nothing is written when it cannot be made; all errors
// after that are w's.
func Write(w io.Writer, d Data) error { return render(w, pageTemplate, newView(&d)) }

// render fills in a page's template and writes it.
func render(w io.Writer, text string, view any) error {
	page, err := template.New("parts").Parse(partsTemplate)
	if err == nil {
		page, err = page.New("page").Parse(text)
	}
	if err != nil {
		return fmt.Errorf("report: parse the page's template: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, view); err != nil {
		return fmt.Errorf("report: fill in the page: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("report: write the page: %w", err)
	}
	return nil
}
