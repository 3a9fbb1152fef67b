package peak

import (
	"runtime"
	"time"
)

// copyBytes is the length of the buffers that Copy moves: more than the caches.
const copyBytes = 64 << 20

// Copy measures the ceiling of what only moves data: the bytes a second that
// one core reads and writes, both counted, while it copies a buffer far larger
// than the caches. It returns the best of several runs.
func Copy() float64 {
	from, to := make([]float32, copyBytes/4), make([]float32, copyBytes/4)
	for i := range from {
		from[i], to[i] = 1, 2 // the pages exist
	}
	best := 0.0
	for range 6 {
		begin := time.Now()
		copy(to, from)
		best = max(best, 2*copyBytes/time.Since(begin).Seconds())
	}
	runtime.KeepAlive(to)
	return best
}
