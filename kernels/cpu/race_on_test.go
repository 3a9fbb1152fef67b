//go:build race

package cpu

// underRace: the race detector makes kernels some ten times slower, and what it
// looks for, tiles that share memory, does not depend on a case's values.
const underRace = true
