// Package study compares ways to train by what they learn from a budget of
// forward rows: a row is one token of one perturbed copy going through the
// model, the unit in which all that only runs forward costs the same.
//
// A [Spec] names tasks, which are a program and data, and methods, which are
// flags of zeroth train and a grid of more. For each task, method and point of
// its grid a learning rate is searched, from the rate given, by steps of one
// factor and the same rule for all, until both neighbours of the best are worse.
// The best point of the grid is then run with further seeds. What a method
// reaches is the median of these; its spread is that of the least and the
// largest.
//
// A task of [KindGradient] measures estimators apart from what is made of their
// estimates: by the cosine to a gradient that is known.
//
// Each run is a cell. Its result is a file named by everything that decides its
// bits, so a study that was ended goes on where it was, and one whose spec grew
// repeats nothing. [Study.Run] does the cells through a [Runner]; tools/zeroth
// has one that runs the train command, draws the page and prints the table. This
// package opens no program and no data.
package study
