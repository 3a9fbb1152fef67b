package dl

import (
	"errors"
	"testing"
)

func TestOwner(t *testing.T) {
	var o Owner
	freed := map[string]int{}
	keep := func(names ...string) {
		for _, name := range names {
			o.Keep(name, func() { freed[name]++ })
		}
	}
	keep("a", "b", "c")
	o.Free("a")
	o.Free("a")
	o.Free("nobody's")
	o.Break(errors.New("silent"), true)
	o.Free("b")
	o.Break(errors.New("lost, too"), false)
	if o.Close(func() { t.Error("closing") }, func() { t.Error("closed") }) || len(freed) != 1 || o.Broken() == nil {
		t.Errorf("silent: freed %v, broken by %v", freed, o.Broken())
	}
	o.Break(nil, false)
	o.Break(errors.New("lost"), false)
	order := ""
	for range 2 {
		if !o.Close(func() { order += "first " }, func() { order += "last" }) {
			t.Error("not closed")
		}
	}
	if order != "first last" || freed["a"] != 1 || freed["b"] != 1 || freed["c"] != 1 {
		t.Errorf("%q, freed %v", order, freed)
	}
}
