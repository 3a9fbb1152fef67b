package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// usageError marks an error in how the tool was called: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// hinted carries a line that says what to do.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func withHint(err error, hint string) error { return hinted{err, hint} }

// oneArgument returns the command's only argument, called what in messages.
func oneArgument(c *cli.Context, what string) (string, error) {
	switch c.Args().Len() {
	case 0:
		return "", withHint(usagef("no %s given", what), fmt.Sprintf("zeroth help %s shows how", c.Command.Name))
	case 1:
		return c.Args().First(), nil
	}
	return "", usagef("unexpected argument %q: %s takes one %s", c.Args().Get(1), c.Command.Name, what)
}

func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("unexpected argument %q", c.Args().First())
	}
	return nil
}
