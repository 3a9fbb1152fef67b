package backend

import (
	"errors"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	r := NewRegistry(Backend{Name: "cpu"}, Backend{Name: "ref"})
	for name, want := range map[string]string{"": "cpu", "cpu": "cpu", "ref": "ref"} {
		if b, err := r.Find(name); err != nil || b.Name != want {
			t.Errorf("Find(%q) = %q, %v", name, b.Name, err)
		}
	}
	if _, err := r.Find("cuda"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "cpu, ref") {
		t.Errorf("an unknown name: %v", err)
	}
}
