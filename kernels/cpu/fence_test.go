//go:build unix

package cpu

import (
	"os"
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// side says where a buffer lies in its fence.
type side bool

const (
	atEnd   side = true  // ends where the inaccessible page begins
	atStart side = false // begins where the inaccessible page ends
)

// fence is memory between two inaccessible pages: an access past either end
// faults, also from assembly.
type fence struct {
	all      []float32 // the accessible elements: guard where the buffer is not
	first, n int       // the buffer placed last
}

// fenceElements is the accessible memory of a fence, at least.
const fenceElements = 4096

// newFence maps a fence for the length of the test.
func newFence(t *testing.T) *fence {
	t.Helper()
	page := os.Getpagesize()
	inside := roundUp(4*fenceElements, page)
	memory, err := unix.Mmap(-1, 0, page+inside+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(memory); err != nil {
			t.Error(err)
		}
	})
	for _, outside := range [][]byte{memory[:page], memory[page+inside:]} {
		if err := unix.Mprotect(outside, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	f := &fence{all: unsafe.Slice((*float32)(unsafe.Pointer(&memory[page])), inside/4)}
	for i := range f.all {
		f.all[i] = guard
	}
	return f
}

// place makes a buffer of n elements, gap elements away from the end or the
// start of the fence, and fills it.
func (f *fence) place(n, gap int, where side, fill func() float32) []float32 {
	for i := range f.n {
		f.all[f.first+i] = guard
	}
	f.first, f.n = gap, n
	if where == atEnd {
		f.first = len(f.all) - gap - n
	}
	s := f.all[f.first : f.first+n : f.first+n]
	for i := range s {
		s[i] = fill()
	}
	return s
}

// intact reports whether nothing was written next to the buffer, within two
// cache lines. A write further away goes unseen.
func (f *fence) intact() bool {
	const near = 2 * lineElements
	for i := max(f.first-near, 0); i < min(f.first+f.n+near, len(f.all)); i++ {
		if (i < f.first || i >= f.first+f.n) && f.all[i] != guard {
			return false
		}
	}
	return true
}

// faults reports whether f touches an inaccessible page, and where.
func faults(f func()) (address uintptr, faulted bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		fault, ok := cause.(interface{ Addr() uintptr })
		if !ok {
			panic(cause)
		}
		address, faulted = fault.Addr(), true
	}()
	f()
	return 0, false
}

func TestFenceFaults(t *testing.T) {
	f := newFence(t)
	zero := func() float32 { return 0 }
	for _, where := range []side{atEnd, atStart} {
		s := f.place(5, 0, where, zero)
		inside, past := &s[0], -1
		if where == atEnd {
			inside, past = &s[4], 1
		}
		var sum float32
		if address, faulted := faults(func() { sum += *inside }); faulted {
			t.Errorf("reading the buffer faults at %#x", address)
		}
		outside := (*float32)(unsafe.Add(unsafe.Pointer(inside), 4*past))
		if _, faulted := faults(func() { sum += *outside }); !faulted {
			t.Errorf("reading %d past the buffer gives %g", past, sum)
		}
		if _, faulted := faults(func() { *outside = 1 }); !faulted {
			t.Errorf("writing %d past the buffer does not fault", past)
		}
	}
	f.place(5, 1, atEnd, zero)
	if !f.intact() {
		t.Error("an untouched fence is reported as written to")
	}
	f.all[len(f.all)-1] = 0
	if f.intact() {
		t.Error("a write into the gap is not seen")
	}
}
