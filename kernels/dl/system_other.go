//go:build !nodl && (amd64 || arm64) && (darwin || linux) && (!android || cgo) && !androiddl

package dl

// checkSystem has nothing to see to where the loader is the system's own.
func checkSystem() error { return nil }
