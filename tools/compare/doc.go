// Package compare holds one backend against another, value by value along the
// graph of a method, and names the node where they part.
//
// Every node is judged twice. Alone: a session of that node by itself is given
// the inputs that the reference computed, so that what is off is its own doing
// and no error adds up. And in the run: the value that it had when the whole
// method ran is held against the reference's, errors of all nodes before it
// included. A fault of a kernel shows in the first; one of what lies between
// kernels, such as a missing barrier, in the second only. Values have memory of
// their own in the walk: memory that is used twice shows in the loss, the
// gradients and the update that follow it, which run as training does.
//
// The command "zeroth compare" reads flags, calls this package and prints what
// it returns.
package compare
