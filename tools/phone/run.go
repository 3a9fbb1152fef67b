package phone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"zeroth/internal/atomicfile"
)

// Run is a run on the phone.
type Run struct {
	adb    *ADB
	folder string
	claim  *claim // from Prepare to Release
}

// alive is a test of the phone's shell in a run's folder: the process whose number
// is in a file is there. It works in that folder; another that has got its number,
// as after a restart of the phone, does not.
func alive(file string) string { return `[ "/proc/$(cat ` + file + ` 2>/dev/null)/cwd" -ef . ]` }

var runNames = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// Run is the run of a name, there or not.
func (a *ADB) Run(name string) (*Run, error) {
	if !runNames.MatchString(name) {
		return nil, fmt.Errorf("%w: run name %q: letters, digits, _, . and - alone", ErrName, name)
	}
	return &Run{adb: a, folder: path.Join(Root, "runs", name)}, nil
}

// Folder is the folder on the phone that the run writes.
func (r *Run) Folder() string { return path.Join(r.folder, "run") }

func (r *Run) name() string { return path.Base(r.folder) }

// State is how far a run is.
type State string

// The states of a run.
const (
	Absent  State = "absent"  // or never started: the connection broke while its files were sent
	Sending State = "sending" // its files, by a push that goes on
	Running State = "running"
	Ended   State = "ended"   // with an exit code
	Killed  State = "killed"  // without one: the phone ended it, or was switched off
	Fetched State = "fetched" // ended, and its results were pulled
)

// stateScript prints the state of the run in a folder.
func stateScript(folder string) string {
	return "cd " + Quote(folder) + ` 2>/dev/null || { echo absent; exit; }
if [ -e fetched ]; then echo fetched
elif [ -e code ]; then echo ended
elif ` + alive("pid") + `; then echo running
elif [ -e out ]; then echo killed
elif ` + alive("sender") + `; then echo sending
else echo absent; fi`
}

// State asks the phone.
func (r *Run) State(ctx context.Context) (State, error) {
	out, err := r.adb.shell(ctx, stateScript(r.folder))
	return State(strings.TrimSpace(string(out))), err
}

// Prepare makes the run's folder and keeps its name from other pushes, until
// Release. A run of that name that goes on, or whose results were not fetched,
// stays and is an error.
func (r *Run) Prepare(ctx context.Context) error {
	state, err := r.take(ctx)
	if err == nil && state == Sending { // a push that was ended is gone in a moment
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		state, err = r.take(ctx)
	}
	if err != nil {
		return err
	}
	switch state {
	case claimed:
		return nil
	case Sending:
		return fmt.Errorf("%w: %s: %w", ErrRun, r.name(), ErrSending)
	case Running:
		return fmt.Errorf("%w: %s goes on", ErrRun, r.name())
	default:
		return fmt.Errorf("%w: %s has %s, and its results were not fetched", ErrRun, r.name(), state)
	}
}

// Keep stores a small file beside the run, such as what is needed to take it up
// from another computer.
func (r *Run) Keep(ctx context.Context, name string, data []byte) error {
	file, err := os.CreateTemp("", "zeroth-push-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return r.adb.transfer(ctx, "push", file.Name(), path.Join(r.folder, name))
}

// Kept reads such a file.
func (r *Run) Kept(ctx context.Context, name string) ([]byte, error) {
	return r.adb.shell(ctx, "cat "+Quote(path.Join(r.folder, name)))
}

// Start starts a command that goes on when the connection ends. The words are
// those of the program, which must be on the phone. The run must be prepared: where
// its name is not ours any more the error wraps ErrClaim.
func (r *Run) Start(ctx context.Context, words []string) error {
	if !r.claim.stands() {
		return fmt.Errorf("%w while files were sent: %w", ErrLost, ErrClaim)
	}
	// The inner shell notes its process before it becomes the program, so that
	// the number in pid is the program's; the outer one waits for its exit code.
	inner := `echo $$ > pid; exec ` + quoteAll(words)
	outer := `sh -c ` + Quote(inner) + ` > out 2> err < /dev/null; echo $? > code.part; mv code.part code`
	const taken = "taken"
	out, err := r.adb.shell(ctx, "cd "+Quote(r.folder)+` && { [ "$(cat sender 2>/dev/null)" = `+r.claim.pid+" ] || { echo "+taken+"; exit; }; } && rm -f code pid && { setsid sh -c "+Quote(outer)+
		` > /dev/null 2>&1 < /dev/null & } && i=0 && while [ ! -s pid ] && [ ! -e code ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done`)
	if err == nil && strings.TrimSpace(string(out)) == taken {
		return fmt.Errorf("%w: another push took the name %s: %w", ErrRun, r.name(), ErrClaim)
	}
	return err
}

// Stop asks the run to save and end.
func (r *Run) Stop(ctx context.Context) error {
	state, err := r.State(ctx)
	if err != nil {
		return err
	}
	if state != Running {
		return fmt.Errorf("%w: %s does not run: it is %s", ErrRun, r.name(), state)
	}
	// A program that has said nothing yet may not heed the signal yet.
	_, err = r.adb.shell(ctx, "cd "+Quote(r.folder)+" && i=0 && while [ ! -s out ] && [ ! -s err ] && "+alive("pid")+
		` && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; `+alive("pid")+` && kill -INT "$(cat pid)"`)
	return err
}

// Follow copies what the run prints, from its beginning, until it ends, and
// returns its exit code. A connection that is lost is waited for, as long as
// patience lasts; lost is told of it, and of its return with nil.
func (r *Run) Follow(ctx context.Context, stdout, stderr io.Writer, patience time.Duration, lost func(error)) (int, error) {
	f := follower{run: r, stdout: stdout, stderr: stderr}
	var since time.Time // the connection was lost
	for {
		code, ended, err := f.poll(ctx)
		switch {
		case err == nil && !since.IsZero():
			lost(nil)
			since = time.Time{}
		case errors.Is(err, ErrLost):
			if since.IsZero() {
				since = time.Now()
				lost(err)
			}
			if time.Since(since) > patience {
				return 0, err
			}
			r.adb.reconnect(ctx, r.adb.Serial)
		case err != nil:
			return 0, err
		}
		if ended {
			return code, nil
		}
		if err == nil && f.more {
			continue
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

const (
	pollEvery = 500 * time.Millisecond
	pollBytes = 1 << 20 // of each stream at a time
)

// follower knows how much of a run's output was copied.
type follower struct {
	run            *Run
	stdout, stderr io.Writer
	out, err       int64 // bytes copied
	more           bool  // the last poll was cut short
}

// poll copies what is new. It prints "OUT ERR CODE" — bytes that follow of each
// stream, and the exit code, "-" while it runs or "killed" — and then those.
func (f *follower) poll(ctx context.Context) (code int, ended bool, err error) {
	command := fmt.Sprintf(`cd %s || exit 9
c=-; if [ -e code ]; then c=$(cat code); elif ! %s; then sleep 0.2; if [ -e code ]; then c=$(cat code); else c=killed; fi; fi
o=$(($(wc -c < out) - %d)); e=$(($(wc -c < err) - %d))
[ $o -gt %d ] && o=%d; [ $e -gt %d ] && e=%d
echo $o $e $c
tail -c +%d out | head -c $o
tail -c +%d err | head -c $e`,
		Quote(f.run.folder), alive("pid"), f.out, f.err, pollBytes, pollBytes, pollBytes, pollBytes, f.out+1, f.err+1)
	text, err := f.run.adb.shell(ctx, command)
	if err != nil {
		return 0, false, err
	}
	head, body, found := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(head))
	if !found || len(fields) != 3 {
		return 0, false, fmt.Errorf("%w: the end of its answer is missing", ErrLost)
	}
	o, errO := strconv.Atoi(fields[0])
	e, errE := strconv.Atoi(fields[1])
	if errO != nil || errE != nil || o < 0 || e < 0 || o+e != len(body) {
		return 0, false, fmt.Errorf("%w: %d bytes came after %q", ErrLost, len(body), head)
	}
	if _, err := f.stdout.Write(body[:o]); err != nil {
		return 0, false, err
	}
	if _, err := f.stderr.Write(body[o:]); err != nil {
		return 0, false, err
	}
	f.out, f.err = f.out+int64(o), f.err+int64(e)
	f.more = o == pollBytes || e == pollBytes
	switch {
	case fields[2] == "-" || f.more:
		return 0, false, nil
	case fields[2] == "killed":
		return 0, true, fmt.Errorf("%w: %s was killed: the phone ran out of memory, or was switched off", ErrRun, f.run.name())
	}
	code, err = strconv.Atoi(fields[2])
	return code, err == nil, err
}

// Fetch pulls the run's folder into a new local one. fill may change what came
// before the folder gets its name.
func (r *Run) Fetch(ctx context.Context, local string, fill func(folder string) error) error {
	return atomicfile.Folder(local, func(folder string) error {
		if err := r.adb.transfer(ctx, "pull", r.Folder()+"/.", folder); err != nil {
			return err
		}
		return fill(folder)
	})
}

// Discard removes a file of the run's folder, if it is there: it need not be
// fetched.
func (r *Run) Discard(ctx context.Context, name string) error {
	_, err := r.adb.shell(ctx, "rm -f "+Quote(path.Join(r.Folder(), name)))
	return err
}

// MarkFetched notes that the results were pulled: the run's name is free again.
func (r *Run) MarkFetched(ctx context.Context) error {
	_, err := r.adb.shell(ctx, "touch "+Quote(path.Join(r.folder, "fetched")))
	return err
}

// SendFolder pushes the files of a local folder into the run's.
func (r *Run) SendFolder(ctx context.Context, local string) error {
	return r.adb.transfer(ctx, "push", absolute(local)+"/.", r.Folder())
}
