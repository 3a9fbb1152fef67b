package report

import (
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
)

// Study is what the page of a study shows.
type Study struct {
	Title string
	Tasks []StudyTask
}

// StudyTask is one task and what methods came to on it.
type StudyTask struct {
	Name, Settings string
	Measure        string // what the curves show; empty: held-out loss (nats)
	Baseline       string // the method that Saved is measured by
	Methods        []StudyMethod
}

// StudyMethod is what the runs of a method came to.
type StudyMethod struct {
	Name, Settings string
	Runs           int
	// The loss on held-out data, or what else the task is measured by, against
	// forward rows: least, median and largest over the runs.
	Rows, Low, Median, High []float64
	Final                   float64 // median at the end; +Inf: the runs diverged
	Accuracy                float64 // median at the end, 0 to 1; NaN: none
	Saved                   float64 // the baseline's rows over those to its loss; 0: never reached
}

//go:embed study.html
var studyTemplate string

// Most of what a page has room for.
const (
	maxStudyTasks   = 40
	maxStudyMethods = 24
)

// WriteStudy writes the page. Nothing is written when it cannot be made; all
// errors after that are w's.
func WriteStudy(w io.Writer, s Study) error {
	view := studyView{Style: template.CSS(pageStyle), Title: clean(s.Title, maxName)}
	for i := range s.Tasks[:min(len(s.Tasks), maxStudyTasks)] {
		view.Tasks = append(view.Tasks, newTaskView(&s.Tasks[i], i))
	}
	return render(w, studyTemplate, &view)
}

type studyView struct {
	Style template.CSS
	Title string
	Tasks []taskView
}

type taskView struct {
	Name, Settings, Baseline string
	Measure, Column          string
	Picture                  template.HTML
	Accuracy                 bool // column
	Left                     string
	Methods                  []methodView
}

type methodView struct {
	Class                                          string // of its curve and key
	Name, Settings, Runs, Loss, Accuracy, To, Rows string
}

func newTaskView(t *StudyTask, index int) taskView {
	v := taskView{
		Name: clean(t.Name, maxName), Settings: clean(t.Settings, maxValue), Baseline: clean(t.Baseline, maxName),
		Measure: "held-out loss (nats)", Column: "loss",
	}
	if t.Measure != "" {
		v.Measure = clean(t.Measure, maxName)
		v.Column = v.Measure
	}
	methods := t.Methods[:min(len(t.Methods), maxStudyMethods)]
	if left := len(t.Methods) - len(methods); left > 0 {
		v.Left = plural(left, "method")
	}
	for i := range methods {
		m := &methods[i]
		row := methodView{
			Class: curveClass(i), Name: clean(m.Name, maxName), Settings: clean(m.Settings, maxValue),
			Runs: formatCount(int64(m.Runs)), Loss: "diverged", To: "never",
		}
		if drawable(m.Final) {
			row.Loss = formatValue(m.Final)
		}
		if drawable(m.Accuracy) {
			row.Accuracy, v.Accuracy = formatPercent(m.Accuracy), true
		}
		if drawable(m.Saved) && m.Saved > 0 {
			row.To = strconv.FormatFloat(m.Saved, 'f', 2, 64) + " ×"
		}
		if n := len(m.Rows); n > 0 && drawable(m.Rows[n-1]) {
			row.Rows = formatCount(int64(m.Rows[n-1]))
		}
		v.Methods = append(v.Methods, row)
	}
	v.Picture = drawStudy(methods, fmt.Sprintf("task%d", index+1), v.Name, v.Measure)
	return v
}

// curveClass is the style of the curve of a method: colours come round again
// dashed.
func curveClass(i int) string {
	class := fmt.Sprintf("series c%d", i%seriesColours)
	if i/seriesColours%2 == 1 {
		class += " dashed"
	}
	return class
}

const seriesColours = 8

// studyHeight is that of the plot, in pixels.
const studyHeight = 340

// drawStudy draws the median of each method over rows, and its spread as an
// area behind; nothing if there is nothing to see.
func drawStudy(methods []StudyMethod, id, name, measure string) template.HTML {
	var across, values span
	across.add(0)
	for i := range methods {
		eachPoint(&methods[i], func(rows, low, median, high float64) {
			across.add(rows)
			values.add(low)
			values.add(median)
			values.add(high)
		})
	}
	if !values.any || across.hi <= 0 {
		return ""
	}
	x, y := stepAxis(across, 6), valueAxis(values, 7)
	c := chart{x: x, y: y, height: studyHeight}
	var s canvas
	openPicture(&s, id, measure+" over forward rows: "+name, describeStudy(methods, measure), studyHeight)
	drawFrame(&s, &x, &y, studyHeight, measure+", median and spread", "forward rows")
	s.begin("svg", "y", pixels(roomAbove), "width", "100%", "height", pixels(studyHeight),
		"viewBox", "0 0 10000 "+pixels(studyHeight), "preserveAspectRatio", "none", "overflow", "visible")
	var lines []string
	for i := range methods {
		var line, outline, back []point
		eachPoint(&methods[i], func(rows, low, median, high float64) {
			line = append(line, point{x: rows, y: median})
			outline, back = append(outline, point{x: rows, y: high}), append(back, point{x: rows, y: low})
		})
		for j := len(back) - 1; j >= 0; j-- {
			outline = append(outline, back[j])
		}
		lines = append(lines, c.path(line, false))
		if len(line) > 1 {
			s.empty("path", "class", "spread "+curveClass(i), "d", c.path(outline, false)+"Z")
		}
	}
	for i, d := range lines {
		if d != "" {
			s.empty("path", "class", curveClass(i), "d", d)
		}
	}
	s.end("svg")
	s.end("svg")
	return s.html()
}

// eachPoint calls take for each point of a curve that can be drawn.
func eachPoint(m *StudyMethod, take func(rows, low, median, high float64)) {
	n := min(len(m.Rows), len(m.Low), len(m.Median), len(m.High), maxDrawn)
	for i := range n {
		if drawable(m.Rows[i]) && drawable(m.Low[i]) && drawable(m.Median[i]) && drawable(m.High[i]) {
			take(m.Rows[i], m.Low[i], m.Median[i], m.High[i])
		}
	}
}

// describeStudy says in words what the picture shows.
func describeStudy(methods []StudyMethod, measure string) string {
	text := measure + " by method at the end:"
	for i := range methods {
		final := "diverged"
		if v := methods[i].Final; !math.IsNaN(v) && drawable(v) {
			final = formatValue(v)
		}
		text += " " + clean(methods[i].Name, maxName) + " " + final + ";"
	}
	return text
}
