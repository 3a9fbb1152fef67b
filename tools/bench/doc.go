// Package bench measures kernels and training steps against ceilings and against
// references, in one process and in turn.
//
// A machine is rarely quiet, so no time is compared with one from another run:
// whatever is compared takes turns (see InTurn), and what is reported is the
// median of the ratios of one round. Results are compared with those of the plain
// kernels before anything is timed.
//
// The command "zeroth bench" reads flags, calls this package and prints what it
// returns. Package compare projects gradients with it too. Nothing else may call
// it.
package bench
