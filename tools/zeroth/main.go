// Command zeroth exports language models to programs and fine-tunes them on the
// device that holds the data, with forward passes alone.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

// Exit codes: 0 done, 1 failed, 2 used wrongly, 130 interrupted and saved.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run is the whole command: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first Ctrl-C asks the command to end; a second one ends the process.
	context.AfterFunc(ctx, stop)

	app := newApp(stdout, stderr)
	err := checkHelpTopic(app, args)
	if err == nil {
		err = app.RunContext(ctx, permute(app, args))
	}
	if err == nil {
		return 0
	}
	return fail(err, stderr)
}

// fail prints an error and gives the exit code that it means.
func fail(err error, stderr io.Writer) int {
	code := exitFailed
	var usage usageError
	var stopped interrupted
	switch {
	case errors.As(err, &usage):
		code = exitUsage
	case errors.Is(err, context.Canceled):
		code = exitInterrupted
	}
	switch {
	case code != exitInterrupted:
		fmt.Fprintf(stderr, "zeroth: error: %v\n", err)
	case errors.As(err, &stopped):
		fmt.Fprintf(stderr, "zeroth: %v\n", stopped)
	default:
		fmt.Fprintln(stderr, "zeroth: interrupted")
	}
	var h hinted
	switch {
	case errors.As(err, &h):
		fmt.Fprintf(stderr, "hint: %s\n", h.hint)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		fmt.Fprintln(stderr, "hint: make room on the disk and try again, or write elsewhere")
	}
	return code
}

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:      "zeroth",
		UsageText: "zeroth COMMAND [flags]\nzeroth help COMMAND",
		Usage:     "fine-tune language models on the device, with forward passes alone",
		Writer:    stdout,
		ErrWriter: stderr,
		Commands: []*cli.Command{
			exportCommand(), synthCommand(), inspectCommand(), planCommand(), logitsCommand(),
			trainCommand(), evalCommand(), runCommand(), replayCommand(), adapterCommand(), reportCommand(), studyCommand(), pushCommand(),
			conformanceCommand(), compareCommand(), devicesCommand(), pluginCommand(), benchCommand(), versionCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return noCommand(c.App, c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   asUsageError,
		HideVersion:    true,
	}
	for _, command := range app.Commands {
		command.OnUsageError = asUsageError
	}
	return app
}
