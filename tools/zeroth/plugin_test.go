package main

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// buildPlugin compiles one of examples/plugins, or skips where it cannot be.
func buildPlugin(t *testing.T, name string, libraries ...string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("no C compiler here")
	}
	if name == "openblas" && exec.Command(cc, "-fsyntax-only", "-include", "cblas.h", "-xc", os.DevNull).Run() != nil {
		t.Skip("no cblas.h here (Debian: apt-get install libopenblas-dev)")
	}
	sources, err := filepath.Glob(testdata.Repo("examples/plugins/" + name + "/*.c"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources of %s: %v", name, err)
	}
	library := filepath.Join(t.TempDir(), "lib"+name+".so")
	arguments := append([]string{"-O2", "-std=c99", "-ffp-contract=off", "-fPIC", "-shared", "-I" + testdata.Repo("kernels/plugin"), "-o", library}, sources...)
	if text, err := exec.Command(cc, append(arguments, libraries...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return library
}

// stepLosses reads the losses of train --json.
func stepLosses(t *testing.T, output string) []float64 {
	t.Helper()
	var losses []float64
	for line := range strings.Lines(output) {
		var e struct {
			Event string
			Loss  float64
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if e.Event == "step" {
			losses = append(losses, e.Loss)
		}
	}
	return losses
}

// stories260K trains on a plug-in to the CPU's losses, step by step: with OpenBLAS
// as the kernel of the layers that are not trained, and with all of its graph on a
// delegate.
func TestPluginsTrainAsTheCPU(t *testing.T) {
	model := testdata.Shared(t, "models/stories260K")
	text, err := os.ReadFile(testdata.Shared(t, "datasets/text/tinyshakespeare.txt"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	m, data := filepath.Join(folder, "m.zpt"), filepath.Join(folder, "t.txt")
	if err := os.WriteFile(data, text[:20_000], 0o600); err != nil {
		t.Fatal(err)
	}
	zeroth(t, "export", "--from", filepath.Join(model, "stories260K.bin"), "--tokenizer", filepath.Join(model, "tok512.bin"), "--out", m, "--rank", "4")
	const steps = "12"
	train := func(name string, flags ...string) (losses []float64, kernels string) {
		run := filepath.Join(folder, name)
		losses = stepLosses(t, zeroth(t, append([]string{
			"train", m, "--task", "text", "--data", data, "--max-tokens", "24", "--modules", "q,v", "--rank", "4", "--q", "4",
			"--batch", "2", "--steps", steps, "--lr", "5e-4", "--seed", "1", "--profile", "--json", "--out", run,
		}, flags...)...))
		profile, err := os.ReadFile(filepath.Join(run, "profile.json"))
		if err != nil {
			t.Fatal(err)
		}
		return losses, string(profile)
	}
	want, _ := train("cpu")
	if len(want) != 12 {
		t.Fatalf("%d steps", len(want))
	}
	for _, c := range []struct{ name, library, backend, kernel string }{
		{"openblas", "-lopenblas", "cpu", `"linear_openblas"`},
		{"plain", "-lm", "plugin:plain", `"plain"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			library := buildPlugin(t, c.name, c.library)
			got, profile := train(c.name, "--plugin", library, "--backend", c.backend)
			if !strings.Contains(profile, c.kernel) {
				t.Errorf("no node ran on %s", c.kernel)
			}
			for i := range want {
				if math.Abs(got[i]-want[i]) > 1e-4*math.Abs(want[i]) {
					t.Errorf("step %d: loss %g, the CPU's is %g", i+1, got[i], want[i])
				}
			}
		})
	}
}

func TestLines(t *testing.T) {
	var got []string
	l := lines{max: 4, take: func(line []byte) { got = append(got, string(line)) }}
	for _, part := range []string{"a", "b\nc\n\n12", "345\n", "1234\n123", "4", "5", "6\nend\nrest"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if want := "ab|c||1234|end"; strings.Join(got, "|") != want {
		t.Errorf("%q, want %s", got, want)
	}
}
