// Package backend says what can run programs: sets of kernels on host memory,
// and delegates, which run partitions of a method on tensors in memory of their
// own. The executor cuts methods into partitions and keeps slots and values in
// step between host and delegate; the tool builds the list of backends, and
// nothing registers itself.
package backend

import (
	"errors"
	"fmt"
	"strings"

	"zeroth/runtime/kernel"
)

// ErrUnknown is wrapped when no backend has a name.
var ErrUnknown = errors.New("no such backend")

// Backend is something that can run programs, or parts of them.
type Backend struct {
	Name  string // what users choose it by
	About string // one line: what it is and what it uses on this machine
	// Kernels are its own, on host memory; they may be of some ops only.
	Kernels []kernel.Kernel
	// Delegate, if any, takes the nodes that it supports, in partitions. The
	// host's kernels take the others.
	Delegate Delegate
}

// Registry is the list of backends of this build.
type Registry struct{ backends []Backend }

// NewRegistry makes a list; the first is the default.
func NewRegistry(backends ...Backend) *Registry { return &Registry{backends} }

// Find returns the backend of that name; none means the default.
func (r *Registry) Find(name string) (Backend, error) {
	var names []string
	for _, b := range r.backends {
		if b.Name == name || name == "" {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Backend{}, fmt.Errorf("%w: %q; this build has %s", ErrUnknown, name, strings.Join(names, ", "))
}
