package cpu

import (
	"unsafe"

	"zeroth/runtime/kernel"
)

// arena cuts a call's scratch into float32 slices that begin on cache lines.
// Over no storage it only counts, so that one function says both how much
// scratch a call needs and where everything lies in it.
type arena struct {
	data []float32
	used int // elements
}

func newArena(scratch []byte) arena {
	storage := kernel.Tensor{Data: scratch}
	return arena{data: storage.F32()}
}

// take gives n elements, or nil where the arena only counts.
func (a *arena) take(n int) []float32 {
	start := a.used
	a.used += roundUp(n, lineElements)
	if a.data == nil {
		return nil
	}
	return a.data[start : start+n]
}

// takeBytes gives n bytes, or nil where the arena only counts.
func (a *arena) takeBytes(n int) []byte {
	part := a.take(ceilDiv(n, 4))
	if part == nil {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(part))), n)
}

// takeInts gives n int32, or nil where the arena only counts.
func (a *arena) takeInts(n int) []int32 {
	part := a.take(n)
	if part == nil {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(part))), n)
}

// bytes is what has been taken so far.
func (a *arena) bytes() int { return a.used * 4 }

// lineElements is the number of float32 in a cache line.
const lineElements = 16

func roundUp(n, step int) int { return (n + step - 1) / step * step }

func ceilDiv(n, d int) int { return (n + d - 1) / d }

// perWorker is scratch of which each worker has its own part.
type perWorker struct {
	data []float32
	each int // elements of one worker
}

func (a *arena) takePerWorker(n, workers int) perWorker {
	each := roundUp(n, lineElements)
	return perWorker{data: a.take(each * workers), each: each}
}

// of is the part of worker w, as an arena to cut further.
func (p perWorker) of(w int) arena { return arena{data: p.data[w*p.each : (w+1)*p.each]} }
