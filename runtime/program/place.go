package program

import (
	"fmt"
	"strings"
)

// place is where in a program a reader or a check stands. It is moved about
// without allocating, and spelled out only when there is an error to report.
type place struct {
	steps [6]step
	depth int
}

// step is one part of a place: a field, with an index where it is a list.
type step struct {
	name  string
	index int
}

// noIndex marks a step that is not an element of a list.
const noIndex = -1

func (p *place) enter(name string, index int) {
	p.steps[p.depth] = step{name, index}
	p.depth++
}

func (p *place) leave() { p.depth-- }

// spell writes the place and a field within it: "methods[1].nodes[17].inputs".
func (p *place) spell(field string) string {
	var b strings.Builder
	for i, s := range p.steps[:p.depth] {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		if s.index != noIndex {
			fmt.Fprintf(&b, "[%d]", s.index)
		}
	}
	if p.depth > 0 && field != "" {
		b.WriteByte('.')
	}
	b.WriteString(field)
	return b.String()
}

// fault makes an error of the given kind about a field here; an empty field
// means the place itself.
func (p *place) fault(kind error, field, format string, args ...any) error {
	return fmt.Errorf("%s: %s: %w", p.spell(field), fmt.Sprintf(format, args...), kind)
}

// faultOf makes an ErrInvalid of another package's error.
func (p *place) faultOf(field string, err error) error {
	return fmt.Errorf("%s: %w: %w", p.spell(field), err, ErrInvalid)
}
