// Package program is a program in memory, and the .zpt file it is read from
// and written to.
package program
