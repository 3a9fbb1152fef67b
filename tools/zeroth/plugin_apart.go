package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// maxEvent bounds a line of the other process.
const maxEvent = 1 << 20

// maxLog bounds the different lines of a plug-in's log that a report keeps.
const maxLog = 50

// pipeDelay is how long what the library started may hold on to the pipes of a
// process that has ended.
const pipeDelay = 2 * time.Second

// errSilent is the cause of the end of a check that stood still.
var errSilent = errors.New("nothing came of it")

// checkApart runs this command again with the library in it and collects its
// events. A process that ends before it is done has met a crash, and one that is
// silent for o.Wait hangs.
func checkApart(ctx context.Context, o checkOptions, report *pluginReport) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	apart, end := context.WithCancelCause(ctx)
	defer end(nil)
	silence := time.AfterFunc(o.Wait, func() { end(errSilent) })
	defer silence.Stop()

	doing := "starting"
	command := exec.CommandContext(apart, self, "plugin", "check", "--in-process", "--op", o.Op, "--", o.Argument)
	command.Args[0] = "zeroth"
	command.WaitDelay = pipeDelay
	var stderr bytes.Buffer
	command.Stderr = &stderr
	command.Stdout = &lines{max: maxEvent, take: func(line []byte) {
		var e event
		if json.Unmarshal(line, &e) != nil {
			return // what the library itself prints
		}
		silence.Reset(o.Wait)
		if e.Begin != "" {
			doing = e.Begin
		}
		report.take(e)
	}}
	err = command.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case context.Cause(apart) == errSilent:
		report.Steps = append(report.Steps, pluginStep{Name: "hang", Found: fmt.Sprintf("during %s: nothing came of it for %s (--wait)", doing, o.Wait)})
	case errors.Is(err, exec.ErrWaitDelay): // it ended well, what it had started has not
	case err != nil:
		report.Steps = append(report.Steps, pluginStep{Name: "crash", Found: fmt.Sprintf("during %s: %s", doing, cause(err, stderr.String()))})
	}
	return nil
}

// lines gives what is written to it on, line by line. Lines above max are left
// out.
type lines struct {
	max  int
	take func(line []byte)
	part []byte
	long bool // the line that part was the beginning of is too long
}

func (l *lines) Write(data []byte) (int, error) {
	n := len(data)
	for {
		line, rest, ended := bytes.Cut(data, []byte("\n"))
		if l.long = l.long || len(l.part)+len(line) > l.max; l.long {
			l.part = l.part[:0]
		} else {
			l.part = append(l.part, line...)
		}
		if !ended {
			return n, nil
		}
		if !l.long {
			l.take(l.part)
		}
		l.part, l.long, data = l.part[:0], false, rest
	}
}

func (r *pluginReport) take(e event) {
	switch {
	case e.Step != nil:
		r.Steps = append(r.Steps, *e.Step)
	case e.Facts != nil:
		r.Plugin = e.Facts
	case e.Op != nil:
		r.Ops = append(r.Ops, *e.Op)
	case e.Log != "" && len(r.Log) < maxLog && !slices.Contains(r.Log, e.Log):
		r.Log = append(r.Log, e.Log)
	}
}

// cause is the line of a crash that says what happened.
func cause(err error, stderr string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "SIG") || strings.HasPrefix(line, "fatal error") || strings.HasPrefix(line, "Exception") {
			first = strings.TrimSpace(line)
			break
		}
	}
	if first == "" {
		return err.Error()
	}
	return fmt.Sprintf("%s (%v)", first, err)
}
