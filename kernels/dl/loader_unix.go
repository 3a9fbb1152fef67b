//go:build !nodl && (amd64 || arm64) && (darwin || linux) && (!android || cgo || androiddl)

package dl

import (
	"runtime"

	"github.com/ebitengine/purego"
)

// open keeps the thread, since dlerror tells of the last failure on its own.
func open(name string) (uintptr, error) {
	if err := checkSystem(); err != nil {
		return 0, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

func symbol(library uintptr, name string) (uintptr, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return purego.Dlsym(library, name)
}
