package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

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

// interrupted is a run that was stopped and can go on.
type interrupted struct{ text string }

func (i interrupted) Error() string { return i.text }

func (i interrupted) Unwrap() error { return context.Canceled }

func noCommand(app *cli.App, name string) error {
	return withHint(usagef("no command %q", name), didYouMean(name, "", commandNames(app.Commands))+"zeroth help lists the commands")
}

// checkHelpTopic refuses "help nosuch" as any unknown command is refused.
func checkHelpTopic(app *cli.App, args []string) error {
	if len(args) < 3 || args[1] != "help" && args[1] != "h" || args[2] == "help" {
		return nil
	}
	topic := append([]string{args[0]}, args[2:]...)
	if _, words := named(app, topic); words < len(topic) {
		return noCommand(app, strings.Join(topic[1:words+1], " "))
	}
	return nil
}

// asUsageError says in our words what the flag parser found wrong.
func asUsageError(c *cli.Context, err error, _ bool) error {
	hint := "zeroth help lists the commands"
	if c.Command != nil && c.Command.Name != c.App.Name {
		hint = helpFor(c) + " lists the flags"
		if unknown := unknownFlag.FindStringSubmatch(err.Error()); unknown != nil {
			hint = didYouMean(unknown[1], "--", flagNames(c.Command.Flags)) + hint
		}
	}
	return withHint(usageError{flagError(err)}, hint)
}

var unknownFlag = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)

var flagFaults = []struct {
	pattern *regexp.Regexp
	words   string
}{
	{unknownFlag, "no flag --$1"},
	{regexp.MustCompile(`^flag needs an argument: -(.*)$`), "--$1 needs a value"},
	{regexp.MustCompile(`(?s)^invalid value (".*") for flag -(\S+): parse error$`), "--$2 $1: not a valid number"},
	{regexp.MustCompile(`(?s)^invalid value (".*") for flag -(\S+): value out of range$`), "--$2 $1: out of range"},
}

func flagError(err error) error {
	for _, fault := range flagFaults {
		if fault.pattern.MatchString(err.Error()) {
			return errors.New(fault.pattern.ReplaceAllString(err.Error(), fault.words))
		}
	}
	return err
}

// oneArgument returns the command's only argument, called what in messages.
func oneArgument(c *cli.Context, what string) (string, error) {
	switch c.Args().Len() {
	case 0:
		return "", withHint(usagef("no %s given", what), helpFor(c)+" shows how")
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

// bounded is a flag's number with the least and the most that it may be.
type bounded struct {
	flag           string
	n, least, most int
}

// checkBounds refuses the first number that is out of bounds.
func checkBounds(list ...bounded) error {
	for _, b := range list {
		if b.n < b.least || b.n > b.most {
			return usagef("--%s %d: must be %d to %d", b.flag, b.n, b.least, b.most)
		}
	}
	return nil
}
