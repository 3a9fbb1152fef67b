// Package dl loads shared libraries at run time and calls their functions
// without cgo: graphics drivers, vendors' kernels, a BLAS to compare with. It
// is the only package that may import ebitengine/purego.
//
//	lib, err := dl.Open("libm.so.6")
//	var pow func(x, y float64) float64
//	err = lib.Bind(&pow, "pow")
//
// An Owner keeps what belongs to something that a library made and must be freed
// before it.
//
// A library stays loaded until the process ends, so an address from it stays
// good: what has started threads or handed out callbacks cannot be unloaded
// safely.
//
// A C function may keep no pointer into Go memory after it has returned, unless
// that is pinned (runtime.Pinner).
//
// On Linux a program that imports this package is linked dynamically against
// glibc. Build with the tag nodl to do without: then, as on Android without cgo
// and on other systems that purego does not serve, every Open fails with
// ErrUnavailable. The tag androiddl is for builds for Android without cgo that
// tools/androiddl prepares.
package dl
