package vulkan

import "testing"

func TestBits(t *testing.T) {
	name, err := Bits()
	if err != nil || len(name) != 16 {
		t.Errorf("%q, %v", name, err)
	}
	if again, _ := Bits(); again != name {
		t.Errorf("%q, then %q", name, again)
	}
}
