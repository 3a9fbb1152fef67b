package report

import (
	"html/template"
	"strings"
)

// chart is a picture of values over steps.
type chart struct {
	id          string // of the elements that name the picture
	title       string
	description string // what a reader who cannot see it should know
	unit        string // of y, written above the axis
	x, y        axis
	height      float64 // of the plot, in pixels
	dots        []point // drawn light
	band        bool    // the dots are thinned: join them, so that they fill their range
	line        []point // drawn bold
	marks       []mark
}

// mark is a measured point that stands for itself.
type mark struct {
	x, y  float64
	hover string
	label string // written beside it; empty: none
	best  bool
}

// Up to fewDots dots are drawn larger, more than manyMarks marks smaller.
const (
	fewDots   = 60
	manyMarks = 40
)

// Room around a plot in pixels: the unit above, tick labels and axis title below.
const (
	roomAbove = 26
	roomBelow = 40
)

// acrossUnits is the width of a plot in the units of its curves. They are
// stretched to the width of the page, strokes excepted, so that text and marks
// keep their size on a phone.
const acrossUnits = 10000

func (c *chart) draw() template.HTML {
	var s canvas
	openPicture(&s, c.id, c.title, c.description, c.height)
	drawFrame(&s, &c.x, &c.y, c.height, c.unit, "step")
	s.begin("svg", "y", pixels(roomAbove), "width", "100%", "height", pixels(c.height),
		"viewBox", "0 0 10000 "+pixels(c.height), "preserveAspectRatio", "none", "overflow", "visible")
	switch n := len(c.dots); {
	case c.band:
		s.empty("path", "class", "band", "d", c.path(c.dots, false))
	case n > fewDots:
		s.empty("path", "class", "dots", "d", c.path(c.dots, true))
	case n > 0:
		s.empty("path", "class", "dots few", "d", c.path(c.dots, true))
	}
	if len(c.line) > 1 {
		s.empty("path", "class", "mean", "d", c.path(c.line, false))
	}
	if len(c.marks) > 1 {
		points := make([]point, len(c.marks))
		for i, m := range c.marks {
			points[i] = point{x: m.x, y: m.y}
		}
		s.empty("path", "class", "held", "d", c.path(points, false))
	}
	s.end("svg")
	for _, m := range c.marks {
		c.drawMark(&s, m)
	}
	s.end("svg")
	return s.html()
}

// path joins the points, or marks each with a dot: a stroke of hardly any
// length with round ends.
func (c *chart) path(points []point, dots bool) string {
	var b strings.Builder
	for i, p := range points {
		verb := "L"
		if dots || i == 0 {
			verb = "M"
		}
		b.WriteString(verb + pixels(acrossUnits*c.x.at(p.x)) + " " + pixels(c.height*(1-c.y.at(p.y))))
		if dots {
			b.WriteString("h.1")
		}
	}
	return b.String()
}

func (c *chart) drawMark(s *canvas, m mark) {
	across, down := c.x.at(m.x), roomAbove+c.height*(1-c.y.at(m.y))
	class, radius := "mark", "3.5"
	switch {
	case m.best:
		class, radius = "mark best", "6"
	case len(c.marks) > manyMarks:
		class, radius = "mark small", "2"
	}
	s.begin("circle", "class", class, "cx", percent(across), "cy", pixels(down), "r", radius)
	s.text("title", m.hover)
	s.end("circle")
	if m.label == "" {
		return
	}
	anchor := "middle"
	switch {
	case across < 0.2:
		anchor = "start"
	case across > 0.8:
		anchor = "end"
	}
	above := down - 13
	if above < roomAbove+8 {
		above = down + 22
	}
	s.text("text", m.label, "class", "label", "x", percent(across), "y", pixels(above), "text-anchor", anchor)
}

// openPicture opens an SVG as wide as its place and names it for those who
// cannot see it.
func openPicture(s *canvas, id, title, description string, height float64) {
	s.begin("svg", "xmlns", "http://www.w3.org/2000/svg", "role", "img", "width", "100%",
		"height", pixels(roomAbove+height+roomBelow), "aria-labelledby", id+"-title "+id+"-desc")
	s.text("title", title, "id", id+"-title")
	s.text("desc", description, "id", id+"-desc")
}

// drawFrame draws the axes: a line and label at each tick of y, labels at the
// ticks of x.
func drawFrame(s *canvas, x, y *axis, height float64, unit, across string) {
	bottom := roomAbove + height
	s.text("text", unit, "class", "unit", "x", "-62", "y", "11")
	for _, tick := range y.ticks {
		at := pixels(roomAbove + height*(1-y.at(tick)))
		s.empty("line", "class", "grid", "x1", "0", "x2", "100%", "y1", at, "y2", at)
		s.text("text", y.format(tick), "class", "tick", "x", "-8", "y", at, "dy", "0.34em", "text-anchor", "end")
	}
	s.empty("line", "class", "base", "x1", "0", "x2", "100%", "y1", pixels(bottom), "y2", pixels(bottom))
	for _, tick := range x.ticks {
		at := percent(x.at(tick))
		s.empty("line", "class", "base", "x1", at, "x2", at, "y1", pixels(bottom), "y2", pixels(bottom+4))
		s.text("text", x.format(tick), "class", "tick", "x", at, "y", pixels(bottom+17), "text-anchor", "middle")
	}
	s.text("text", across, "class", "unit", "x", "50%", "y", pixels(bottom+34), "text-anchor", "middle")
}
