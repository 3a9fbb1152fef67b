package peak

import "testing"

func TestCeilingIsPositive(t *testing.T) {
	if f := FMA("generic"); f <= 1e6 {
		t.Errorf("ceiling %g operations a second", f)
	}
}
