package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// zeroth runs the command and returns what it printed on standard output.
func zeroth(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(append([]string{"zeroth"}, args...), &stdout, &stderr); code != 0 {
		t.Fatalf("zeroth %s: exit code %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	return stdout.String()
}

// evaluations reads the held-out results of a training run's --json output.
func evaluations(t *testing.T, output string) (first, last struct{ Loss, Accuracy float64 }) {
	t.Helper()
	seen := false
	for line := range strings.Lines(output) {
		var e struct {
			Event          string
			Loss, Accuracy float64
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if e.Event != "eval" {
			continue
		}
		last.Loss, last.Accuracy = e.Loss, e.Accuracy
		if !seen {
			first, seen = last, true
		}
	}
	if !seen {
		t.Fatal("no evaluation was printed")
	}
	return first, last
}

// SST-2 with reviews-1m: a few dozen steps must bring the loss of dev examples
// well below where it starts (1.29 over the two candidates; ln 2 is a coin).
func TestLearnsSST2(t *testing.T) {
	dataset := testdata.Shared(t, "datasets/sst2")
	folder := t.TempDir()
	dev := headOf(t, filepath.Join(dataset, "glue_dev.tsv"), filepath.Join(folder, "dev.tsv"), 200)
	train := headOf(t, filepath.Join(dataset, "glue_train.tsv"), filepath.Join(folder, "train.tsv"), 2000)
	m := filepath.Join(folder, "m.zpt")
	zeroth(t, "export", "--from", testdata.Repo("third_party/reviews-1m"), "--out", m, "--rank", "8", "--alpha", "16")
	first, last := evaluations(t, zeroth(t, "train", m, "--task", "sst2", "--loss", "choices", "--data", train, "--held-out", dev,
		"--steps", "60", "--q", "8", "--batch", "8", "--lr", "1e-2", "--seed", "1", "--out", filepath.Join(folder, "run"), "--json"))
	if first.Loss < 1.1 || last.Loss > 0.75 {
		t.Errorf("dev loss %.3f → %.3f, want from above 1.1 to below 0.75", first.Loss, last.Loss)
	}
}

// Style: stories260K, which knows only children's stories, reads Shakespeare.
func TestAdaptsToAStyle(t *testing.T) {
	text, err := os.ReadFile(testdata.Shared(t, "datasets/text/tinyshakespeare.txt"))
	if err != nil {
		t.Fatal(err)
	}
	model := testdata.Shared(t, "models/stories260K")
	folder := t.TempDir()
	train, heldOut := filepath.Join(folder, "train.txt"), filepath.Join(folder, "held-out.txt")
	for path, part := range map[string][]byte{train: text[:100_000], heldOut: text[len(text)-4_000:]} {
		if err := os.WriteFile(path, part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := filepath.Join(folder, "m.zpt")
	zeroth(t, "export", "--from", filepath.Join(model, "stories260K.bin"), "--tokenizer", filepath.Join(model, "tok512.bin"),
		"--out", m, "--rank", "8", "--alpha", "16")
	first, last := evaluations(t, zeroth(t, "train", m, "--task", "text", "--max-tokens", "48", "--data", train, "--held-out", heldOut,
		"--steps", "40", "--q", "8", "--batch", "4", "--lr", "5e-3", "--seed", "1", "--out", filepath.Join(folder, "run"), "--json"))
	if last.Loss > first.Loss-1 {
		t.Errorf("held-out loss %.3f → %.3f nats a token, want at least 1 less", first.Loss, last.Loss)
	}
}

// headOf copies the first lines of a file and returns the copy's path.
func headOf(t *testing.T, from, to string, lines int) string {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	all := bytes.SplitAfter(raw, []byte("\n"))
	if err := os.WriteFile(to, bytes.Join(all[:min(lines+1, len(all))], nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}
