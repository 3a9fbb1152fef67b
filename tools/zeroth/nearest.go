package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// didYouMean begins a hint with the name that is nearest to a word, where one is
// near enough to be meant: a letter in three may be wrong.
func didYouMean(word, mark string, names []string) string {
	best, least := "", len(word)/3+1
	for _, name := range names {
		if d := editDistance(word, name); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s%s? ", mark, best)
}

// editDistance is how many bytes must be put in, taken out or changed to make b of
// a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1) // of a's first i bytes to b's first j
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0] // of i bytes to j
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func commandNames(commands []*cli.Command) []string {
	var names []string
	for _, c := range commands {
		names = append(names, c.Name)
	}
	return names
}

func flagNames(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}
