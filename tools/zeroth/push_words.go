package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// jobWords are the words of a command for the phone.
type jobWords struct {
	command *cli.Command
	verb    []string // what names the command
	rest    []string
}

// readWords finds the command that words call.
func readWords(app *cli.App, words []string) (jobWords, error) {
	command, n := named(app, append([]string{app.Name}, words...))
	if command == nil {
		return jobWords{}, noCommand(app, words[0])
	}
	return jobWords{command: command, verb: words[:n-1], rest: words[n-1:]}, nil
}

// is reports whether the command is one of those.
func (j *jobWords) is(names ...string) bool { return slices.Contains(names, strings.Join(j.verb, " ")) }

// mentions reports whether a flag is among the words.
func (j *jobWords) mentions(flag string) bool {
	return slices.ContainsFunc(j.rest, func(w string) bool { name, _ := flagValue(w); return name == flag })
}

// fileWord is a word, or a flag's value in it, that a command takes for a file.
type fileWord struct {
	index int // in rest
	name  string
}

// files lists the words that name files: arguments, and values of flags that do.
// Any other word may be a file's name, too, such as sst2, and means something else.
func (j *jobWords) files() []fileWord {
	var list []fileWord
	for i := 0; i < len(j.rest); i++ {
		word := j.rest[i]
		name, value := flagValue(word)
		if name == "" {
			list = append(list, fileWord{i, word})
			continue
		}
		if takesValue(j.command, word) && i+1 < len(j.rest) {
			i++
			value = j.rest[i]
		}
		if value != "" && namesFile(j.command, name, value) {
			list = append(list, fileWord{i, value})
		}
	}
	return list
}

// fileFlag is how help calls the value of a flag that is read from a file.
var fileFlag = regexp.MustCompile("`(FILE|FOLDER|PROGRAM|LIBRARY)\\b")

// namesFile reports whether a flag's value is the name of something to read.
func namesFile(command *cli.Command, name, value string) bool {
	if name == "out" || name == "html" { // to be written
		return false
	}
	if name == "task" {
		return taskOptions{Task: value}.isFile()
	}
	for _, flag := range command.Flags {
		if shown, ok := flag.(cli.DocGenerationFlag); ok && slices.Contains(flag.Names(), name) {
			return fileFlag.MatchString(shown.GetUsage())
		}
	}
	return true // the phone's zeroth may know it
}

// flagValue cuts "--name=value"; "--name" has no value, any other word no name.
func flagValue(word string) (name, value string) {
	if len(word) < 2 || word[0] != '-' {
		return "", word
	}
	name, value, _ = strings.Cut(strings.TrimLeft(word, "-"), "=")
	return name, value
}

// on gives all words with the phone's places of files.
func (j *jobWords) on(remote map[string]string) []string {
	rest := slices.Clone(j.rest)
	for _, f := range j.files() {
		if place, ok := remote[f.name]; ok {
			rest[f.index] = strings.TrimSuffix(rest[f.index], f.name) + place
		}
	}
	return slices.Concat(j.verb, rest)
}
