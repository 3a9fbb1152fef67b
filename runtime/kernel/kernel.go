package kernel

import (
	"errors"
	"fmt"
	"strings"

	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// ErrNoKernel is wrapped when a registry has no kernel for a node.
var ErrNoKernel = errors.New("no kernel")

// Call is one node bound to its tensors. A Runner keeps it and reads the
// tensors' Shape and Width afresh at each run. The index inputs (op.IndexRule)
// have been checked before a run begins.
type Call struct {
	Spec    *op.Spec
	Attrs   op.Attrs
	In, Out []*Tensor
	Scratch []byte // as many bytes as Kernel.Scratch asked for, 64-byte aligned, contents undefined
	Pool    *platform.Pool
}

// Runner computes a bound call. Run allocates nothing; it is called by one
// goroutine at a time and may use the call's Pool.
type Runner interface {
	Run() error
}

// Operands is a set of a node's inputs and outputs, the bits of their numbers.
type Operands struct{ In, Out uint32 }

// KeepsHalf reports whether operand i of a set that is kept as f16 (see Kernel.Half) is:
// what is not f32 in rows stays as it is.
func KeepsHalf(set uint32, i int, t op.Type) bool {
	return set>>i&1 != 0 && t.DType == op.F32 && t.Layout == op.Rows
}

// Kernel computes one op for the inputs that it supports.
type Kernel struct {
	Op   op.ID
	Name string // op, dtype, tile and instruction set: "linear_f32_14x32_avx512"
	// Cost orders kernels of one op: the lowest that supports a call is
	// picked. Plain kernels have cost 1000.
	Cost int
	// Supports reports whether the kernel takes inputs of these types; nil
	// means all that the op allows.
	Supports func(in []op.Type, attrs op.Attrs) bool
	// Scratch gives the bytes of working memory for a call whose tensors have
	// the extents of the session's bounds; nil means none.
	Scratch func(c *Call) int
	// Half are the operands that the kernel keeps as f16, though the call's tensors
	// are f32: it rounds to nearest, ties to even and beyond 65520 to infinity, what it
	// reads of them and the results that it gives. Of an operand that may be weights
	// it does so where they are f32 in rows.
	Half Operands
	// Bind prepares a call whose tensors have the extents of the session's
	// bounds. It may allocate.
	Bind func(c *Call) (Runner, error)
}

// Registry is a list of kernels from which one is picked for each node.
type Registry struct {
	kernels []Kernel
}

// NewRegistry makes a registry of the kernels. Two kernels of one op must
// differ in name.
func NewRegistry(kernels ...[]Kernel) (*Registry, error) {
	r := &Registry{}
	seen := make(map[string]bool)
	for _, list := range kernels {
		for _, k := range list {
			key := fmt.Sprintf("%d %s", k.Op, k.Name)
			if seen[key] {
				return nil, fmt.Errorf("kernel %s for %s is registered twice", k.Name, k.Op)
			}
			seen[key] = true
			r.kernels = append(r.kernels, k)
		}
	}
	return r, nil
}

// Pick returns the kernel of lowest cost that supports the inputs; among
// equals the first by name. The choice depends on nothing else.
func (r *Registry) Pick(id op.ID, in []op.Type, attrs op.Attrs) (*Kernel, error) {
	var best *Kernel
	for i := range r.kernels {
		k := &r.kernels[i]
		if k.Op != id || (k.Supports != nil && !k.Supports(in, attrs)) {
			continue
		}
		if best == nil || k.Cost < best.Cost || k.Cost == best.Cost && k.Name < best.Name {
			best = k
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%w for %s of %s", ErrNoKernel, id, typeList(in))
	}
	return best, nil
}

// Kernels lists the registry's kernels in the order they were given.
func (r *Registry) Kernels() []Kernel { return r.kernels }

func typeList(types []op.Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return strings.Join(names, ", ")
}
