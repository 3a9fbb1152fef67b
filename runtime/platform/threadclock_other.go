//go:build !linux

package platform

import "time"

// TellsThreadTime is whether what a [WorkerClock] takes down of a thread is time of
// processors, in which waiting and other programs do not count.
const TellsThreadTime = false

// threadClock reads the time since some moment: what processors spend on a thread
// is not asked for here.
type threadClock struct{ from time.Time }

func (c *threadClock) read() time.Duration {
	if c.from.IsZero() {
		c.from = time.Now()
	}
	return time.Since(c.from)
}
