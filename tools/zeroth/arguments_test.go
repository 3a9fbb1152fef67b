package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestPermute(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	for _, c := range []struct{ in, want string }{
		{"zeroth", "zeroth"},
		{"zeroth nosuch a -b", "zeroth nosuch a -b"},
		{"zeroth train m.zpt --steps 10", "zeroth train --steps 10 -- m.zpt"},
		{"zeroth train --steps 10 m.zpt --json", "zeroth train --steps 10 --json -- m.zpt"},
		{"zeroth train -q 2 m.zpt", "zeroth train -q 2 -- m.zpt"},
		{"zeroth train m.zpt --lr=1 --lr -1", "zeroth train --lr=1 --lr -1 -- m.zpt"},
		{"zeroth train m.zpt --json --nosuch x", "zeroth train --json --nosuch -- m.zpt x"},
		{"zeroth train --json -- --odd.zpt --steps", "zeroth train --json -- --odd.zpt --steps"},
		{"zeroth train - --json", "zeroth train --json -- -"},
		{"zeroth train m.zpt --data", "zeroth train --data"}, // so that the parser misses the value
		{"zeroth train m.zpt --steps 3 -h", "zeroth train -h"},
		{"zeroth train", "zeroth train --"},
		{"zeroth bench gemm a --shapes x --json", "zeroth bench gemm --shapes x --json -- a"},
		{"zeroth bench --json gemm", "zeroth bench --json -- gemm"},
		{"zeroth help bench gemm", "zeroth bench gemm --help"},
	} {
		have := permute(app, strings.Fields(c.in))
		if want := strings.Fields(c.want); !slices.Equal(have, want) {
			t.Errorf("%s: %q, want %q", c.in, have, want)
		}
	}
}

func TestFlagError(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"flag provided but not defined: -x", "no flag --x"},
		{"flag needs an argument: -data", "--data needs a value"},
		{`invalid value "a\nb" for flag -lr: parse error`, `--lr "a\nb": not a valid number`},
		{`invalid value "9" for flag -q: value out of range`, `--q "9": out of range`},
		{"something else", "something else"},
	} {
		if have := flagError(errors.New(c.in)).Error(); have != c.want {
			t.Errorf("%q: %q, want %q", c.in, have, c.want)
		}
	}
}

// Text that is not UTF-8 would be read as something else, and resumed as that.
func TestTextOfArgumentsIsUTF8(t *testing.T) {
	const spoilt = "caf\xe9"
	prompt := generateOptions{Prompt: spoilt, MaxNew: 1, Sampling: sampling{TopP: 1}}
	for name, err := range map[string]error{
		"--prompt":      prompt.check(),
		"--template":    taskOptions{Template: spoilt}.checkSample(),
		"--labels":      taskOptions{Labels: spoilt}.checkSample(),
		"--label-field": taskOptions{LabelField: spoilt}.checkSample(),
		"--columns":     taskOptions{Columns: spoilt}.checkSample(),
	} {
		var usage usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "not UTF-8") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
