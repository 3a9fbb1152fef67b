package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// permute moves a command's arguments behind its flags, so that
// "train m.zpt --steps 10" means what it says: the flag parser stops at the
// first argument. All after "--" are arguments.
func permute(app *cli.App, args []string) []string {
	// The library knows help of one word, and of a group lists no commands.
	if len(args) > 2 && (args[1] == "help" || args[1] == "h") && args[2] != "help" {
		args = append(append([]string{args[0]}, args[2:]...), "--help")
	}
	command, words := named(app, args)
	if command == nil {
		return args
	}
	call := args[:words:words]
	var flags, rest []string
	for i := words; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		if name := strings.TrimLeft(arg, "-"); name == "h" || name == "help" {
			// The parser would take an argument behind it for a topic.
			return append(call, arg)
		}
		flags = append(flags, arg)
		if !takesValue(command, arg) {
			continue
		}
		if i++; i == len(args) {
			// A value is missing: with nothing behind it the parser says so.
			return append(call, flags...)
		}
		flags = append(flags, args[i])
	}
	return append(append(append(call, flags...), "--"), rest...)
}

// takesValue reports whether the flag is one whose value is the next argument.
func takesValue(command *cli.Command, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, flag := range command.Flags {
		for _, n := range flag.Names() {
			if n == name {
				_, isBool := flag.(*cli.BoolFlag)
				return !isBool
			}
		}
	}
	return false
}
