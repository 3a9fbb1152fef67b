package gpu

import (
	"errors"
	"testing"
)

func TestChoice(t *testing.T) {
	for _, test := range []struct {
		text              string
		has, quick, wants bool
	}{
		{"", true, true, true},
		{"", true, false, false},
		{"", false, true, false},
		{"dot", true, false, true},
		{"dot", false, false, false},
		{"nodot", true, true, false},
		{" coop , nodot,", true, true, false},
		{"nodot,dot", true, false, true},
	} {
		c, err := ParseChoice(test.text, "coop", "dot")
		if err != nil || c.Uses("dot", test.has, test.quick) != test.wants {
			t.Errorf("%q, has %v, quick %v: %v", test.text, test.has, test.quick, err)
		}
	}
	for _, text := range []string{"dots", "no", "DOT", "nonodot", "dot;coop", "co op"} {
		if _, err := ParseChoice(text, "coop", "dot"); !errors.Is(err, ErrChoice) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// f16 is stored only where that is wanted, and a device that cannot is refused.
func TestChoiceOfStoring(t *testing.T) {
	for _, test := range []struct {
		text       string
		can, wants bool
		err        error
	}{
		{"", true, false, nil},
		{"", false, false, nil},
		{"store16", true, true, nil},
		{"store16", false, false, ErrChoice},
		{"store16,nostore16", false, false, nil},
	} {
		c, err := ParseChoice(test.text, WayStore16)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Store16(test.can); got != test.wants || !errors.Is(err, test.err) {
			t.Errorf("%q, can %t: %t, %v", test.text, test.can, got, err)
		}
	}
}
