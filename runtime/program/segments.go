package program

import (
	"crypto/sha256"
	"runtime"
	"sync"
	"sync/atomic"
)

// aligned rounds a file offset up to the next segment boundary. Offsets are
// below 2⁶³, so that it cannot wrap.
func aligned(offset uint64) uint64 { return (offset + Alignment - 1) / Alignment * Alignment }

// layOut places segments of the given lengths behind a header that ends at
// headerEnd, and returns the length of the file.
func layOut(segments []segment, headerEnd uint64) uint64 {
	end := headerEnd
	for i := range segments {
		segments[i].offset = aligned(end)
		end = segments[i].offset + segments[i].length
	}
	return end
}

// segmentPlace names segment i of a program of so many constants.
func segmentPlace(i, constants int) (here place) {
	if i < constants {
		here.enter("constants", i)
	} else {
		here.enter("tokenizer", noIndex)
	}
	here.enter("segment", noIndex)
	return here
}

// checkSegments holds the segments against the file: each begins at the first
// boundary after what stands before it, the bytes between are zero, and the
// last ends where the file does. There is one place for each segment, so that
// none can overlap, leave a gap or stand out of order.
func checkSegments(data []byte, segments []segment, headerEnd uint64, constants int) error {
	end := headerEnd
	for i, s := range segments {
		here := segmentPlace(i, constants)
		want := aligned(end)
		switch size := uint64(len(data)); {
		case s.offset%Alignment != 0:
			return here.fault(ErrFormat, "offset", "%d is not a multiple of %d", s.offset, Alignment)
		case s.offset < end:
			return here.fault(ErrFormat, "offset", "%d overlaps what ends at %d", s.offset, end)
		case s.offset != want:
			return here.fault(ErrFormat, "offset", "%d leaves a gap, must be %d", s.offset, want)
		case s.offset > size || s.length > size-s.offset:
			return here.fault(ErrFormat, "length", "%d bytes at %d, the file has %d", s.length, s.offset, size)
		}
		for at := end; at < s.offset; at++ {
			if data[at] != 0 {
				return here.fault(ErrFormat, "padding", "byte %d of the file is %#02x, must be 0", at, data[at])
			}
		}
		end = s.offset + s.length
	}
	if end != uint64(len(data)) {
		var here place
		return here.fault(ErrFormat, "file length", "%d bytes, the last segment ends at %d", len(data), end)
	}
	return nil
}

// checkSums hashes all segments, on every core, and reports the first in the
// file whose hash is not the header's.
func checkSums(data []byte, segments []segment, constants int) error {
	var (
		next    atomic.Int64
		workers sync.WaitGroup
		mutex   sync.Mutex
		first   = len(segments)
		fault   error
	)
	for range min(runtime.GOMAXPROCS(0), len(segments)) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(segments) {
					return
				}
				s := &segments[i]
				sum := sha256.Sum256(data[s.offset : s.offset+s.length])
				if sum == s.sum {
					continue
				}
				mutex.Lock()
				if i < first {
					here := segmentPlace(i, constants)
					first, fault = i, here.fault(ErrChecksum, "sha256", "is %x…, must be %x…", sum[:8], s.sum[:8])
				}
				mutex.Unlock()
			}
		})
	}
	workers.Wait()
	return fault
}
