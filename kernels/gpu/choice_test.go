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
