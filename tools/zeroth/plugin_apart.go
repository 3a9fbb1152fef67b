package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// maxEvent bounds a line of the other process.
const maxEvent = 1 << 20

// maxLog bounds the different lines of a plug-in's log that a report keeps.
const maxLog = 50

// checkApart runs this command again with the library in it and collects its
// events. A process that ends before it is done has met a crash.
func checkApart(ctx context.Context, o checkOptions, report *pluginReport) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, self, "plugin", "check", "--in-process", "--op", o.Op, "--", o.Argument)
	command.Args[0] = "zeroth"
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	doing := "starting"
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // what the library itself prints
		}
		if e.Begin != "" {
			doing = e.Begin
		}
		report.take(e)
	}
	err = command.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		report.Steps = append(report.Steps, pluginStep{Name: "crash", Found: fmt.Sprintf("during %s: %s", doing, cause(err, stderr.String()))})
	}
	return nil
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
