//go:build !nodl && (amd64 || arm64) && (darwin || linux || windows) && (!android || cgo || androiddl)

package dl

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// bind registers a function. purego reports types that it cannot pass by
// panicking.
func bind(fn any, address uintptr) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	purego.RegisterFunc(fn, address)
	return nil
}

//go:uintptrescapes
func call(fn uintptr, args ...uintptr) uintptr {
	result, _, _ := purego.SyscallN(fn, args...)
	return result
}

// callback makes a C function pointer. purego panics at what it cannot be
// called with.
func callback(fn any) (address uintptr, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return purego.NewCallback(fn), nil
}
