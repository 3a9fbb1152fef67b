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

// editDistance is how many bytes must be put in, taken out or changed, or adjacent
// ones swapped, to make b of a.
func editDistance(a, b string) int {
	// Rows of i bytes of a: to b's first j bytes.
	last, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			change := row[j]
			if a[i] != b[j] {
				change++
			}
			next[j+1] = min(change, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], last[j-1]+1)
			}
		}
		last, row, next = row, next, last
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
