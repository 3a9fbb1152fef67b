//go:build !linux

package platform

import "time"

// threadClock reads the time since some moment: what processors spend on a thread
// is not asked for here.
type threadClock struct{ from time.Time }

func (c *threadClock) read() time.Duration {
	if c.from.IsZero() {
		c.from = time.Now()
	}
	return time.Since(c.from)
}
