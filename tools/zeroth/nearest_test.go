package main

import "testing"

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"steps", "steps", 0}, {"step", "steps", 1}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"bacth", "batch", 1}, {"trian", "train", 1}, {"ab", "ba", 1}, {"abcd", "cdab", 4}} {
		if have := editDistance(c.a, c.b); have != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, have, c.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	names := []string{"train", "run", "replay", "report", "q"}
	for word, want := range map[string]string{"tran": "did you mean --train? ", "raport": "did you mean --report? ", "trian": "did you mean --train? ", "frob": "", "x": "", "": "", "r": ""} {
		if have := didYouMean(word, "--", names); have != want {
			t.Errorf("%q: %q, want %q", word, have, want)
		}
	}
}
