package dl

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrUnavailable is wrapped where this build cannot load libraries at all.
	ErrUnavailable = errors.New("this build cannot load shared libraries")
	// ErrLibrary is wrapped when no library of the names given could be loaded.
	ErrLibrary = errors.New("no such library")
	// ErrSymbol is wrapped when a library has no such symbol, or when a symbol
	// cannot be bound to a Go function.
	ErrSymbol = errors.New("symbol not usable")
)

// Library is a loaded shared library.
type Library struct {
	name   string
	handle uintptr
}

// Open loads the first of the named libraries that the system's loader finds:
// a soname is looked for where the system keeps its libraries, a name with a
// slash is a file. Loading runs the library's initialisers, so names must not
// come from data.
func Open(names ...string) (*Library, error) {
	var reasons []string
	for _, name := range names {
		if name == "" || strings.ContainsRune(name, 0) {
			return nil, fmt.Errorf("%w: %q is no name of a library", ErrLibrary, name)
		}
		handle, err := open(name)
		if errors.Is(err, ErrUnavailable) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err == nil {
			return &Library{name: name, handle: handle}, nil
		}
		reasons = append(reasons, err.Error())
	}
	return nil, fmt.Errorf("%w: tried %q: %s", ErrLibrary, names, strings.Join(reasons, "; "))
}

// Name is the one of Open's names that was loaded.
func (l *Library) Name() string { return l.name }

// Symbol gives the address of a function or variable of the library.
func (l *Library) Symbol(name string) (uintptr, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return 0, fmt.Errorf("%w: %s: %q is no name of a symbol", ErrSymbol, l.name, name)
	}
	address, err := symbol(l.handle, name)
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrSymbol, l.name, err)
	}
	return address, nil
}

// Bind makes *fn, a pointer to a variable of function type, call the library's
// function of that name. The types are the caller's promise: nothing can check
// them against the library. C's int is int32, a pointer is a Go pointer,
// uintptr or unsafe.Pointer, char * is a string (copied, ended by a zero).
// Calls are a little slower than those of Call, but may mix integers and
// floats.
func (l *Library) Bind(fn any, name string) error {
	address, err := l.Symbol(name)
	if err != nil {
		return err
	}
	if err := bind(fn, address); err != nil {
		return fmt.Errorf("%w: %s: %s as %T: %w", ErrSymbol, l.name, name, fn, err)
	}
	return nil
}

// Call calls the C function at an address that Symbol gave, with integers and
// pointers only, and returns its result. A conversion
// uintptr(unsafe.Pointer(&x)) in the argument list keeps x alive and in place
// until Call returns.
//
//go:uintptrescapes
func Call(fn uintptr, args ...uintptr) uintptr { return call(fn, args...) }

// Callback makes a C function pointer that calls fn: a function of integers and
// pointers that returns one uintptr. It stays good for ever and is one of few
// (a thousand or two), so make one a purpose, not one a use.
func Callback(fn any) (uintptr, error) {
	address, err := callback(fn)
	if err != nil {
		return 0, fmt.Errorf("%w: a callback of %T: %w", ErrSymbol, fn, err)
	}
	return address, nil
}
