package opencl

import "testing"

func TestBits(t *testing.T) {
	name := Bits()
	if len(name) != 16 {
		t.Errorf("%q", name)
	}
	if again := Bits(); again != name {
		t.Errorf("%q, then %q", name, again)
	}
}
