package platform

import (
	"runtime"
	"sync/atomic"
	"testing"
)

type countTask struct {
	counts []atomic.Int32
	worst  atomic.Int32 // highest worker number seen
	spin   func(tile int)
}

func (c *countTask) Tile(worker, tile int) {
	c.counts[tile].Add(1)
	for {
		w := c.worst.Load()
		if int32(worker) <= w || c.worst.CompareAndSwap(w, int32(worker)) {
			break
		}
	}
	if c.spin != nil {
		c.spin(tile)
	}
}

func TestEveryTileRunsOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 7, 16} {
		pool := NewPool(workers)
		for _, tiles := range []int{0, 1, 2, 3, 7, 64, 1000} {
			for range 20 {
				task := &countTask{counts: make([]atomic.Int32, tiles)}
				pool.Run(task, tiles)
				for i := range task.counts {
					if n := task.counts[i].Load(); n != 1 {
						t.Fatalf("workers %d tiles %d: tile %d ran %d times", workers, tiles, i, n)
					}
				}
				if w := int(task.worst.Load()); w >= pool.Workers() {
					t.Fatalf("worker %d of %d", w, pool.Workers())
				}
			}
		}
		pool.Close()
	}
}

// A worker stuck in its first tile must lose the rest of its share to others,
// or this test would never end: tile 0 waits for all other tiles.
func TestIdleWorkersSteal(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	const tiles = 64
	var finished atomic.Int32
	task := &countTask{counts: make([]atomic.Int32, tiles)}
	release := make(chan struct{})
	task.spin = func(tile int) {
		if tile == 0 {
			<-release
			return
		}
		if finished.Add(1) == tiles-1 {
			close(release)
		}
	}
	pool.Run(task, tiles)
}

// waitTask blocks in each tile until its channel is closed.
type waitTask struct {
	started atomic.Int32
	release chan struct{}
}

func (w *waitTask) Tile(int, int) {
	w.started.Add(1)
	<-w.release
}

// Run returns neither before a tile that another worker has begun is done, nor
// waits for one that had nothing to do.
func TestRunWaitsForWhoHasJoined(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	for range 50 {
		task := &waitTask{release: make(chan struct{})}
		returned := make(chan struct{})
		go func() {
			pool.Run(task, 3)
			close(returned)
		}()
		for task.started.Load() < 3 {
			runtime.Gosched()
		}
		select {
		case <-returned:
			t.Fatal("Run returned while its tiles ran")
		default:
		}
		close(task.release)
		<-returned
		if pool.joined.Load() != -shut {
			t.Fatalf("%d workers are left behind", pool.joined.Load()+shut)
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	task := &countTask{counts: make([]atomic.Int32, 128)}
	if n := testing.AllocsPerRun(100, func() { pool.Run(task, 128) }); n != 0 {
		t.Errorf("%g allocations a run", n)
	}
}
