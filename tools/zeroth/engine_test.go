package main

import (
	"strings"
	"testing"

	"zeroth/graph/pass"
)

// What a later version trained must not be taken for LoRA.
func TestRelinkRefusesWhatItDoesNotKnow(t *testing.T) {
	if _, err := relinkFor("ranks", nil, pass.LoRA{}); err == nil || !strings.Contains(err.Error(), `the run trained "ranks"`) {
		t.Error(err)
	}
}
