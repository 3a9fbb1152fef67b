package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeroth/internal/testdata"
	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/backend"

	"github.com/urfave/cli/v2"
)

// failing is a delegate whose device is lost at a run of a method: nothing of it can
// be run or read any more.
type failing struct {
	backend.Delegate
	method string
	runs   int // of the method that succeed
	err    error
	lost   bool
}

func (d *failing) Open(info backend.SessionInfo) (backend.Session, error) {
	s, err := d.Delegate.Open(info)
	return &failingSession{s, d}, err
}

type failingSession struct {
	backend.Session
	of *failing
}

func (s *failingSession) Compile(ctx context.Context, p *backend.Partition) (backend.Executable, error) {
	e, err := s.Session.Compile(ctx, p)
	return &failingPart{e, s.of, p.Method}, err
}

func (s *failingSession) ReadSlot(slot int, data []byte) error {
	if s.of.lost {
		return s.of.err
	}
	return s.Session.ReadSlot(slot, data)
}

type failingPart struct {
	backend.Executable
	of     *failing
	method string
}

func (p *failingPart) Run(ctx context.Context) error {
	if p.method == p.of.method {
		p.of.runs--
	}
	if p.of.lost = p.of.lost || p.of.runs < 0; p.of.lost {
		return p.of.err
	}
	return p.Executable.Run(ctx)
}

// trainOn runs the train command on a device that fails.
func trainOn(t *testing.T, d *failing, args ...string) (stderr string, err error) {
	t.Helper()
	command := trainCommand()
	var out, messages bytes.Buffer
	command.Action = func(c *cli.Context) error {
		r := &trainRun{stdout: &out, stderr: &messages}
		defer r.close()
		var err error
		if r.engine, err = readEngine(c); err != nil {
			return err
		}
		find := r.engine.find
		r.engine.find = func() (backend.Backend, error) {
			b, err := find()
			d.Delegate = b.Delegate
			b.Delegate = d
			return b, err
		}
		if r.pacer, err = readPacer(c); err != nil {
			return err
		}
		if r.fallback, err = readFallback(c); err != nil {
			return err
		}
		if err := r.configure(c); err != nil {
			return err
		}
		if err := r.run(t.Context()); err != nil {
			return err
		}
		_, err = r.model.Snapshot() // as a study does after a run
		return err
	}
	app := newApp(&out, &messages)
	app.Commands = []*cli.Command{command}
	err = app.RunContext(t.Context(), permute(app, append([]string{"zeroth", "train"}, args...)))
	return messages.String(), err
}

// A run whose device fails, in a forward pass or in an update, goes on by the CPU
// from the last step of its journal: B is what the CPU alone would make of it.
func TestFallback(t *testing.T) {
	if _, err := findBackend("vulkan:0"); err != nil {
		t.Skip(err)
	}
	folder := t.TempDir()
	program, heldOut := filepath.Join(folder, "m.zpt"), filepath.Join(folder, "held-out.tsv")
	if err := os.WriteFile(heldOut, []byte("label\ttext\n1\tgood\n"), 0o666); err != nil { // one run of losses
		t.Fatal(err)
	}
	if code := run([]string{"zeroth", "export", "--from", testdata.Repo("third_party/reviews-1m"), "--out", program}, &bytes.Buffer{}, &bytes.Buffer{}); code != 0 {
		t.Fatalf("export: exit code %d", code)
	}
	for name, c := range map[string]struct {
		failing
		flags []string
		from  int    // the step that the CPU goes on from
		ends  string // what the run fails with, if it does
	}{
		"forward":     {failing{method: "losses", runs: 2, err: fmt.Errorf("a card: %w", vk.ErrLost)}, nil, 2, ""},
		"update":      {failing{method: "update", runs: 1, err: fmt.Errorf("a card: %w", vk.ErrTimeout)}, nil, 2, ""},
		"evaluation":  {failing{method: "losses", runs: 1 + 3, err: fmt.Errorf("a card: %w", vk.ErrMemory)}, []string{"--held-out", heldOut}, 3, ""},
		"not wanted":  {failing{method: "losses", runs: 1, err: fmt.Errorf("a card: %w", vk.ErrLost)}, []string{"--fallback", "none"}, 0, "device lost"},
		"other error": {failing{method: "losses", runs: 1, err: errors.New("a bug")}, nil, 0, "a bug"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "run")
			stderr, err := trainOn(t, &c.failing, append([]string{
				program, "--backend", "vulkan:0", "--data", testdata.Repo("examples/remarks/train.tsv"), "--task", "sst2", "--layers", "4",
				"--rank", "2", "--q", "1", "--batch", "1", "--steps", "3", "--out", out,
			}, c.flags...)...)
			if c.ends != "" {
				if err == nil || !strings.Contains(err.Error(), c.ends) || strings.Contains(stderr, "goes on") {
					t.Fatalf("%v\n%s", err, stderr)
				}
				return
			}
			if err != nil || !strings.Contains(stderr, fmt.Sprintf("notice: the CPU goes on from step %d,", c.from)) || !strings.Contains(stderr, "vulkan:0 failed: ") {
				t.Fatalf("%v\n%s", err, stderr)
			}
			replayed := filepath.Join(t.TempDir(), "replayed")
			var messages bytes.Buffer
			if code := run([]string{"zeroth", "replay", program, "--journal", out, "--steps", "3", "--out", replayed}, &messages, &messages); code != 0 {
				t.Fatalf("replay: %s", &messages)
			}
			const weights = "adapter_model.safetensors"
			want, err := os.ReadFile(filepath.Join(replayed, weights))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(out, lastName, weights)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the adapter is not what the journal says: %v", err)
			}
		})
	}
}
