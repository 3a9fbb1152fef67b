//go:build nodl || !(amd64 || arm64) || !(darwin || linux || windows) || (android && !cgo && !androiddl)

package dl

func open(string) (uintptr, error) { return 0, ErrUnavailable }

// Without a library there is no symbol, nothing to bind and nothing to call.

func symbol(uintptr, string) (uintptr, error) { return 0, ErrUnavailable }

func bind(any, uintptr) error { return ErrUnavailable }

func call(uintptr, ...uintptr) uintptr { return 0 }

func callback(any) (uintptr, error) { return 0, ErrUnavailable }
