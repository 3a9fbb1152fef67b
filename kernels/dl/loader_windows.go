//go:build !nodl && (amd64 || arm64)

package dl

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// open looks for a bare name in the system's and the program's folders, never
// in the working one, where anybody could have put it.
func open(name string) (uintptr, error) {
	flags := uintptr(windows.LOAD_LIBRARY_SEARCH_DEFAULT_DIRS)
	if filepath.IsAbs(name) {
		flags |= windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR
	}
	handle, err := windows.LoadLibraryEx(name, 0, flags)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return uintptr(handle), nil
}

func symbol(library uintptr, name string) (uintptr, error) {
	address, err := windows.GetProcAddress(windows.Handle(library), name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return address, nil
}
