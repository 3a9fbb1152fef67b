package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// group makes a command that only holds others: "bench gemm", "bench ops".
func group(name, usage, description string, commands ...*cli.Command) *cli.Command {
	for _, command := range commands {
		command.OnUsageError = asUsageError
	}
	return &cli.Command{
		Name: name, Usage: usage, Description: description,
		UsageText:       fmt.Sprintf("zeroth %s COMMAND [flags]\nzeroth %s COMMAND --help", name, name),
		Subcommands:     commands,
		HideHelpCommand: true,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return withHint(usagef("no command %q", name+" "+c.Args().First()), didYouMean(c.Args().First(), name+" ", commandNames(commands))+fmt.Sprintf("zeroth help %s lists them", name))
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// named finds the command that args call, by its own name or by its group's and
// its own, and how many of args name it, the tool's name included: 1 where
// there is no such command.
func named(app *cli.App, args []string) (command *cli.Command, words int) {
	commands := app.Commands
	words = 1
	for words < len(args) {
		next := find(commands, args[words])
		if next == nil {
			break
		}
		command, commands = next, next.Subcommands
		words++
	}
	return command, words
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, command := range commands {
		if command.HasName(name) {
			return command
		}
	}
	return nil
}

// helpFor is what to type to learn more of the command that runs.
func helpFor(c *cli.Context) string {
	path := c.Command.Name
	for _, parent := range c.Lineage()[1:] {
		if parent.Command != nil && parent.Command.Name != "" && parent.Command.Name != c.App.Name {
			path = parent.Command.Name + " " + path
		}
	}
	return "zeroth help " + path
}
