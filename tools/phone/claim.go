package phone

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path"
	"strings"
)

// claim is a shell on the phone that does nothing but be there, in the run's
// folder, with its number in the file sender. It ends with this process, and with
// the connection: what nobody sends any more stands in nobody's way.
type claim struct {
	adb   *exec.Cmd
	pid   string        // the shell's number
	hold  io.Closer     // its standard input: closed, it ends
	ended chan struct{} // closed when it has
}

// claimed is what the claim's shell says when the run's name is its own.
const claimed State = "claimed"

// take claims the run's name where the run is absent or fetched, or tells what
// else it is. Of two that do so at the same moment the one gets it whose number
// stands in the file a little later. Where the other was slower still, and both
// took it for theirs, Start finds that out.
func (r *Run) take(ctx context.Context) (State, error) {
	script := "s=$(" + stateScript(r.folder) + `
)
case $s in absent|fetched) ;; *) echo $s; exit;; esac
rm -rf ` + Quote(r.folder) + " && mkdir -p " + Quote(r.Folder()) + " && cd " + Quote(r.folder) + ` || exit 1
echo $$ > sender && sleep 0.3
[ "$(cat ` + Quote(path.Join(r.folder, "sender")) + ` 2>/dev/null)" = $$ ] || { echo sending; exit; }
echo ` + string(claimed) + ` $$ && exec cat > /dev/null`
	command := r.adb.command(ctx, "shell", script)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrNoADB, r.adb.Path, err)
	}
	c := &claim{adb: command, hold: stdin, ended: make(chan struct{})}
	said, _ := bufio.NewReader(stdout).ReadString('\n') // "" where it said nothing
	go func() {
		defer close(c.ended)
		_, _ = io.Copy(io.Discard, stdout)
		_ = command.Wait() // what it means that it ended depends on when
	}()
	name, pid, _ := strings.Cut(strings.TrimSpace(said), " ")
	state := State(name)
	if c.pid = pid; state == claimed && allDigits(pid) {
		r.claim = c
		return state, nil
	}
	c.release()
	switch message := strings.TrimSpace(stderr.String()); {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case state != "":
		return state, nil
	case message == "" || lost(message):
		return "", fmt.Errorf("%w: %s", ErrLost, orElse(message, "adb ended without a word"))
	default:
		return "", fmt.Errorf("%w: %s", ErrRemote, message)
	}
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// stands reports whether the claim's shell is still there.
func (c *claim) stands() bool {
	if c == nil {
		return false
	}
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

func (c *claim) release() {
	_ = c.hold.Close()
	<-c.ended
}

// Release gives up the name that Prepare took, if it did: what was started has it
// by running.
func (r *Run) Release() {
	if r.claim != nil {
		r.claim.release()
		r.claim = nil
	}
}
