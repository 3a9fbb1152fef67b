package report

import (
	"html"
	"html/template"
	"strconv"
	"strings"
)

// canvas writes SVG. The names of elements and attributes are the program's
// own; every value and text is escaped here.
type canvas struct{ out strings.Builder }

// begin opens an element; attributes alternate names and values.
func (c *canvas) begin(element string, attributes ...string) {
	c.start(element, attributes)
	c.out.WriteString(">")
}

func (c *canvas) end(element string) {
	c.out.WriteString("</" + element + ">")
}

// empty writes an element without content.
func (c *canvas) empty(element string, attributes ...string) {
	c.start(element, attributes)
	c.out.WriteString("/>")
}

// text writes an element that holds only text.
func (c *canvas) text(element, content string, attributes ...string) {
	c.begin(element, attributes...)
	c.out.WriteString(html.EscapeString(content))
	c.end(element)
}

func (c *canvas) start(element string, attributes []string) {
	c.out.WriteString("<" + element)
	for i := 0; i+1 < len(attributes); i += 2 {
		c.out.WriteString(" " + attributes[i] + `="` + html.EscapeString(attributes[i+1]) + `"`)
	}
}

// html is what was written. It is safe to put in a page: see canvas.
func (c *canvas) html() template.HTML { return template.HTML(c.out.String()) }

// percent writes a fraction of the width: 12.5%.
func percent(fraction float64) string {
	return strconv.FormatFloat(100*fraction, 'f', 3, 64) + "%"
}

// pixels writes a length or coordinate.
func pixels(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
