package program

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// checkName holds a name to the rules that all names share: text of 1 to
// MaxNameBytes bytes that is safe to print on a line and to make a file name
// of: UTF-8, no control characters, no path separators.
func (p *place) checkName(field, name string) error {
	switch {
	case name == "":
		return p.fault(ErrInvalid, field, "must not be empty")
	case len(name) > MaxNameBytes:
		return p.fault(ErrLimit, field, "%d bytes, at most %d", len(name), MaxNameBytes)
	case !utf8.ValidString(name):
		return p.fault(ErrInvalid, field, "%q is not UTF-8", name)
	case name == "." || name == "..":
		return p.fault(ErrInvalid, field, "%q is not a name", name)
	}
	for at, char := range name {
		if char < ' ' || char == 0x7f || char == '/' || char == '\\' {
			return p.fault(ErrInvalid, field, "%q has %q at byte %d", name, char, at)
		}
	}
	return nil
}

// checkUnique holds n names against each other, nameOf(i) being that of
// element i of the list, or "" where it has none. It takes 4·n bytes.
func (p *place) checkUnique(list string, n int, nameOf func(i int32) string) error {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(strings.Compare(nameOf(a), nameOf(b)), cmp.Compare(a, b))
	})
	for i := 1; i < n; i++ {
		a, b := order[i-1], order[i]
		if name := nameOf(b); name != "" && name == nameOf(a) {
			p.enter(list, int(b))
			defer p.leave()
			return p.fault(ErrInvalid, "name", "%q is also the name of %s[%d]", name, list, a)
		}
	}
	return nil
}

// checkMetaValue holds a metadata value to its limit; it may be any text.
func (p *place) checkMetaValue(value string) error {
	if len(value) > MaxMetaValueBytes {
		return p.fault(ErrLimit, "value", "%d bytes, at most %d", len(value), MaxMetaValueBytes)
	}
	if !utf8.ValidString(value) {
		return p.fault(ErrInvalid, "value", "is not UTF-8")
	}
	return nil
}
