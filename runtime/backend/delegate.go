package backend

import (
	"context"
	"errors"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// ErrDeclined is wrapped by Compile's error when the delegate cannot take the
// partition, for want of memory say, and a session can do without it: the nodes
// then run on the host.
var ErrDeclined = errors.New("the delegate declines")

// Delegate runs parts of a method on tensors in memory of its own.
type Delegate interface {
	// Name is what users choose it by.
	Name() string
	// Supports returns nil if the delegate takes a node, else why not. The
	// tensors of values have the extents of the session's bounds.
	Supports(n *Node, values []Value) error
	// Open begins a session of the delegate's, one for each of the executor's.
	Open(s SessionInfo) (Session, error)
}

// SessionInfo is what a delegate is told about a session.
type SessionInfo struct {
	Bounds  op.Extents     // the largest extents of any run
	Slots   []program.Slot // Value.Ref of a SlotRef is an index into them
	Profile bool           // times of nodes are wanted (see NodeTimer)
	// Progress, if any, is told how many of a number of things that take long to
	// make are made. It is called by the goroutine that compiles.
	Progress func(what string, done, total int)
}

// Session holds what the partitions of a session share: constants and slots. It
// is for one goroutine at a time.
type Session interface {
	// Compile makes a partition ready. Its tensors have the extents of the
	// session's bounds. Those of constants have their Data, which stay as they
	// are while the session lasts; those of inputs and outputs get it before
	// the first run. A cancelled context ends it early with the context's error.
	Compile(ctx context.Context, p *Partition) (Executable, error)
	// WriteSlot gives the slot this storage: Type.Bytes of it.
	WriteSlot(slot int, data []byte) error
	// ReadSlot copies the slot's storage to data.
	ReadSlot(slot int, data []byte) error
	// Moved are the bytes that have crossed from and to the host since Open.
	Moved() (up, down int64)
	// Close frees everything of the session, of which nothing is called again. It
	// may be called on any goroutine.
	Close()
}

// Executable is a partition made ready.
type Executable interface {
	// Run reads the partition's inputs from their tensors and computes, at the
	// extents that the tensors have now. What it computed stays where it is.
	// A cancelled context ends it early, unless the partition mutates slots.
	Run(ctx context.Context) error
	// Fetch copies Outputs[output] of the last run to its tensor's Data: the
	// elements of that run's extents, and nothing behind them.
	Fetch(output int) error
	// Close frees what the partition alone holds, while the session goes on:
	// nothing of it is called again. A session that is closed frees it too.
	Close()
}

// Partition is a part of a method that a delegate runs as a whole.
type Partition struct {
	Method string
	Nodes  []Node  // in an order in which they can be run
	Values []Value // all that the nodes use
	// Inputs are the values that are read from the host before each run,
	// Outputs those that Fetch may be asked for: indices of Values.
	Inputs, Outputs []int
	Mutates         bool // a node writes a slot
}

// Node is a node of a partition. In and Out are indices of its Values.
type Node struct {
	Name    string
	Spec    *op.Spec
	Attrs   op.Attrs
	In, Out []int
}

// Value is a tensor of a partition.
type Value struct {
	Name string
	// Kind is Input for what comes from the host, be it an input of the method
	// or what another node made there; ConstRef, whose Tensor.Data is the
	// constant; SlotRef; or Temp for what the partition makes.
	Kind program.ValueKind
	// Ref tells constants apart, and slots: equal ones are the same in all
	// methods of a session.
	Ref    int
	Tensor *kernel.Tensor
}

// NodeTimer is an Executable that can say how long each of its partition's nodes
// took in the last run: seconds, in their order. It is asked if
// SessionInfo.Profile is set.
type NodeTimer interface {
	NodeTimes() []float64
}
