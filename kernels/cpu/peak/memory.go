package peak

import (
	"runtime"
	"time"
)

// What Copy moves: buffers larger than the caches, by pieces short enough for
// other programs to leave some of them alone.
const (
	copyBytes  = 64 << 20
	pieceBytes = 2 << 20
)

// Copy measures the ceiling of what only moves data: the bytes a second that
// one core reads and writes, both counted, while it copies a buffer far larger
// than the caches. It returns the best of its pieces.
func Copy() float64 {
	from, to := make([]byte, copyBytes), make([]byte, copyBytes)
	for i := range from {
		from[i], to[i] = 1, 2 // the pages exist
	}
	best := 0.0
	for range 3 {
		for at := 0; at < copyBytes; at += pieceBytes {
			begin := time.Now()
			copy(to[at:at+pieceBytes], from[at:at+pieceBytes])
			best = max(best, 2*pieceBytes/time.Since(begin).Seconds())
		}
	}
	runtime.KeepAlive(to)
	return best
}
