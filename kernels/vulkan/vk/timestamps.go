package vk

import (
	"fmt"
	"unsafe"
)

// Timestamps are places for moments in a recording.
type Timestamps struct {
	device *Device
	pool   handle
	ticks  []uint64
}

// NewTimestamps makes n of them. It fails with ErrUnusable where the queue takes
// none.
func (d *Device) NewTimestamps(n int) (*Timestamps, error) {
	if d.Physical.timestamps == 0 || d.Physical.period <= 0 || n < 1 {
		return nil, fmt.Errorf("%w: %s does not tell the time", ErrUnusable, d.Physical.Name)
	}
	t := &Timestamps{device: d, ticks: make([]uint64, n)}
	info := &queryPoolCreateInfo{sType: typeQueryPoolCreateInfo, queryType: queryTimestamp, queryCount: uint32(n)}
	var pool handle
	if err := check(d.entries.CreateQueryPool.call(d.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&pool))), "vkCreateQueryPool"); err != nil {
		return nil, fmt.Errorf("%d timestamps on %s: %w", n, d.Physical.Name, err)
	}
	t.pool = pool
	d.owner.Keep(t, t.destroy)
	return t, nil
}

func (t *Timestamps) destroy() {
	if t.pool != 0 {
		t.device.entries.DestroyQueryPool.call(t.device.handle, uintptr(t.pool), 0)
	}
	t.pool = 0
}

// Free frees them. Nothing that is running may write them.
func (t *Timestamps) Free() { t.device.owner.Free(t) }

// Forget records that n timestamps from the first on are to be written anew.
func (c *Commands) Forget(t *Timestamps, first, n int) {
	c.device.entries.CmdResetQueryPool.call(c.buffer, uintptr(t.pool), uintptr(first), uintptr(n))
}

// Timestamp records that timestamp i is the moment when all before it is done.
func (c *Commands) Timestamp(t *Timestamps, i int) {
	c.device.entries.CmdWriteTimestamp.call(c.buffer, stageBottom, uintptr(t.pool), uintptr(i))
}

// Read reads the timestamps of the last run. It fails, and does not wait, where
// that has not written all of them.
func (t *Timestamps) Read() error {
	d := t.device
	if err := d.Broken(); err != nil {
		return err
	}
	return check(d.entries.GetQueryPoolResults.call(d.handle, uintptr(t.pool), 0, uintptr(len(t.ticks)), uintptr(8*len(t.ticks)),
		uintptr(unsafe.Pointer(&t.ticks[0])), 8, queryResult64), "vkGetQueryPoolResults")
}

// Seconds is the time from one timestamp to another, as read.
func (t *Timestamps) Seconds(from, to int) float64 {
	p := t.device.Physical
	ticks := (t.ticks[to] - t.ticks[from]) & (^uint64(0) >> (64 - p.timestamps)) // they wrap around
	return float64(ticks) * p.period * 1e-9
}
