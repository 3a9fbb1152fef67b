// Package executor runs the methods of a program.
//
// A Session is made for one program, one set of kernels and upper bounds of
// all extents. Making it picks the kernels, plans the arena and allocates
// everything; a run afterwards allocates nothing. All methods of a session
// share the slots (the mutable tensors: LoRA's A and B) and one arena.
//
//	s, err := executor.New(prog, kernels, executor.Options{Bounds: bounds})
//	losses, err := s.Method("losses")
//	err = losses.Resize(extents)
//	copy(losses.Input("tokens").I32(), ids)
//	err = losses.Run(ctx)
//	l := losses.Output("losses").F32()[:P]
//
// The executor does not know that it trains: a training step is a run of
// "losses" and a run of "update". A Session is for one goroutine at a time.
package executor
