//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zeroth/internal/testdata"
)

// interruptedRun is a run of a few dozen steps with evaluations among them, and
// what it leaves where nobody disturbs it.
type interruptedRun struct {
	folder  string
	program string
	flags   []string
	want    map[string][]byte // by path below the run's folder
}

// disturbed are the files that must not tell whether a run was interrupted.
var disturbed = []string{
	journalName,
	filepath.Join(lastName, "adapter_model.safetensors"), filepath.Join(lastName, "adapter_config.json"),
	filepath.Join(bestName, "adapter_model.safetensors"), filepath.Join(bestName, "adapter_config.json"),
}

func newInterruptedRun(t *testing.T) *interruptedRun {
	t.Helper()
	r := &interruptedRun{folder: t.TempDir()}
	r.program = filepath.Join(r.folder, "m.zpt")
	heldOut := filepath.Join(r.folder, "held-out.tsv")
	text := "label\ttext\n1\tthe soup was warm and the bread was fresh .\n0\tthe screen broke on the second day .\n"
	if err := os.WriteFile(heldOut, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	r.flags = []string{
		"--data", testdata.Repo("examples/remarks/train.tsv"), "--held-out", heldOut, "--task", "sst2",
		"--rank", "4", "--q", "2", "--batch", "2", "--steps", "60", "--eval-every", "10", "--lr", "0.01", "--json",
	}
	r.mustRun(t, "export", "--from", testdata.Repo("third_party/reviews-1m"), "--out", r.program)
	r.mustRun(t, r.train("whole")...)
	r.want = r.files(t, "whole")
	return r
}

func (r *interruptedRun) train(out string) []string {
	return append([]string{"train", r.program, "--out", filepath.Join(r.folder, out)}, r.flags...)
}

func (r *interruptedRun) resume(out string) []string {
	return []string{"train", "--resume", filepath.Join(r.folder, out), "--json"}
}

func (r *interruptedRun) mustRun(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("zeroth", args...).CombinedOutput(); err != nil {
		t.Fatalf("zeroth %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (r *interruptedRun) files(t *testing.T, out string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range disturbed {
		raw, err := os.ReadFile(filepath.Join(r.folder, out, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = raw
	}
	return files
}

func (r *interruptedRun) compare(t *testing.T, out string) {
	t.Helper()
	for name, have := range r.files(t, out) {
		if !bytes.Equal(have, r.want[name]) {
			t.Errorf("%s differs from that of the run that was not interrupted", name)
		}
	}
}

func TestInterruptedRunsResumeToTheSameBits(t *testing.T) {
	r := newInterruptedRun(t)
	t.Run("interrupted", r.testInterrupt)
	t.Run("killed", r.testKills)
}

// testInterrupt sends one SIGINT in the middle.
func (r *interruptedRun) testInterrupt(t *testing.T) {
	command := exec.Command("zeroth", r.train("run")...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	lines := bufio.NewScanner(stdout)
	for seen < 7 && lines.Scan() {
		if strings.Contains(lines.Text(), `"event":"step"`) {
			seen++
		}
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, stdout)
	err = command.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Fatalf("exit: %v, want code %d\n%s", err, exitInterrupted, &stderr)
	}
	for _, want := range []string{
		"zeroth: interrupted after step ", ", all is saved\n",
		"hint: go on with: zeroth train --resume " + filepath.Join(r.folder, "run") + "\n",
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("standard error lacks %q:\n%s", want, &stderr)
		}
	}

	// What was saved is the adapter of the journal's last step.
	again := filepath.Join(r.folder, "again")
	r.mustRun(t, "replay", r.program, "--journal", filepath.Join(r.folder, "run"), "--out", again)
	for _, name := range []string{"adapter_model.safetensors", "adapter_config.json"} {
		saved, err := os.ReadFile(filepath.Join(r.folder, "run", lastName, name))
		if err != nil {
			t.Fatal(err)
		}
		replayed, err := os.ReadFile(filepath.Join(again, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(saved, replayed) {
			t.Errorf("%s of the interrupted run is not that of its journal", name)
		}
	}

	r.mustRun(t, r.resume("run")...)
	r.compare(t, "run")
}

// testKills sends SIGKILL at random moments until the run gets through.
func (r *interruptedRun) testKills(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const kills = 6
	for killed := 0; ; {
		args := r.train("killed")
		if isFile(filepath.Join(r.folder, "killed", configName)) {
			args = r.resume("killed")
		}
		command := exec.Command("zeroth", args...)
		var stderr bytes.Buffer
		command.Stderr = &stderr
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if killed < kills {
			killed++
			time.AfterFunc(time.Duration(random.IntN(250))*time.Millisecond, func() { _ = command.Process.Kill() })
		}
		err := command.Wait()
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
			t.Fatalf("zeroth %s: %v\n%s", strings.Join(args, " "), err, &stderr)
		}
	}
	r.compare(t, "killed")
	left, err := filepath.Glob(filepath.Join(r.folder, "killed", ".*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left by killed processes: %v, %v", left, err)
	}
}
