package gpu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrChoice is wrapped when a way to multiply is named that there is not.
var ErrChoice = errors.New("no such arithmetic")

// WayStore16 is Arithmetic.Store16 among the ways of all devices. It is not used unless
// it is named.
const WayStore16 = "store16"

// Choice says which of a device's ways to multiply are used: those that are quick on
// it, unless they are named.
type Choice struct {
	named map[string]bool // used or not
}

// ParseChoice reads a list such as "dot,nocoop": a way that is to be used where the
// device has it, be it quick or not, or with "no" before it one that is not.
func ParseChoice(text string, ways ...string) (Choice, error) {
	c := Choice{named: make(map[string]bool)}
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		name, no := strings.CutPrefix(word, "no")
		switch {
		case word == "":
		case slices.Contains(ways, name):
			c.named[name] = !no
		default:
			return c, fmt.Errorf("%w: %.40q; there are %s, each with \"no\" before it or without", ErrChoice, word, strings.Join(ways, ", "))
		}
	}
	return c, nil
}

// Uses reports whether a way is used that a device has, quick or not.
func (c Choice) Uses(way string, has, quick bool) bool {
	if named, ok := c.named[way]; ok {
		return has && named
	}
	return has && quick
}

// Store16 reports whether activations are stored as f16. It is an error to want that of
// a device that cannot: losses would have more digits than was said.
func (c Choice) Store16(can bool) (bool, error) {
	if c.named[WayStore16] && !can {
		return false, fmt.Errorf("%w: the device cannot store f16: leave %q out", ErrChoice, WayStore16)
	}
	return c.named[WayStore16], nil
}
