// Package backend names the sets of kernels that a session can be given, and
// finds one by name. The tool builds the list; nothing registers itself.
package backend

import (
	"errors"
	"fmt"
	"strings"

	"zeroth/runtime/kernel"
)

// ErrUnknown is wrapped when no backend has a name.
var ErrUnknown = errors.New("no such backend")

// Backend is a set of kernels that work on host memory.
type Backend struct {
	Name    string // what users choose it by
	About   string // one line: what it is and what it uses on this machine
	Kernels []kernel.Kernel
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
