package platform

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Task is work that is cut into tiles. Tile may be called for different tiles
// at the same time; each tile is run exactly once. A tile's result must not
// depend on the worker or on the order, which makes results the same bit for
// bit for any number of threads.
type Task interface {
	// Tile runs tile number tile on worker number worker, 0 ≤ worker < Workers.
	Tile(worker, tile int)
}

// Pool runs tasks on a fixed set of threads. Each worker begins with an equal
// share of the tiles; one that has finished its own steals the further half of
// another's rest, so that slow cores (big.LITTLE) delay nobody. Running a task
// allocates nothing. A Pool is for one caller at a time.
type Pool struct {
	workers int
	wake    []chan struct{}
	shares  []share
	task    Task
	left    atomic.Int64 // helpers that have not finished the present task
	done    chan struct{}
	exited  sync.WaitGroup
}

// share is a worker's rest of the tiles, [low, high) as low<<32 | high, on a
// cache line of its own.
type share struct {
	span atomic.Uint64
	_    [56]byte
}

// NewPool starts a pool of the given number of workers, the caller of Run
// being one of them; 0 or less means as many as the process may use.
func NewPool(workers int) *Pool {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	p := &Pool{workers: workers, shares: make([]share, workers), done: make(chan struct{}, 1)}
	for w := 1; w < workers; w++ {
		wake := make(chan struct{}, 1)
		p.wake = append(p.wake, wake)
		p.exited.Add(1)
		go p.serve(w, wake)
	}
	return p
}

// Workers is the number of workers, at least 1.
func (p *Pool) Workers() int { return p.workers }

// Close ends the workers. The pool must not be used afterwards.
func (p *Pool) Close() {
	for _, wake := range p.wake {
		close(wake)
	}
	p.wake = nil
	p.exited.Wait()
}

// Run runs tiles 0 … tiles−1 of task and returns when all are done.
func (p *Pool) Run(task Task, tiles int) {
	if tiles <= 0 {
		return
	}
	if p.workers == 1 || tiles == 1 {
		for tile := range tiles {
			task.Tile(0, tile)
		}
		return
	}
	for w := range p.shares {
		low, high := uint64(tiles*w/p.workers), uint64(tiles*(w+1)/p.workers)
		p.shares[w].span.Store(low<<32 | high)
	}
	p.task = task
	p.left.Store(int64(len(p.wake)))
	for _, wake := range p.wake {
		wake <- struct{}{}
	}
	p.work(0)
	<-p.done
	p.task = nil
}

func (p *Pool) serve(worker int, wake chan struct{}) {
	defer p.exited.Done()
	for range wake {
		p.work(worker)
		if p.left.Add(-1) == 0 {
			p.done <- struct{}{}
		}
	}
}

func (p *Pool) work(worker int) {
	for {
		for {
			tile, ok := p.shares[worker].take()
			if !ok {
				break
			}
			p.task.Tile(worker, tile)
		}
		if !p.steal(worker) {
			return
		}
	}
}

// take removes the first tile of the share.
func (s *share) take() (int, bool) {
	for {
		span := s.span.Load()
		low, high := span>>32, span&0xffffffff
		if low >= high {
			return 0, false
		}
		if s.span.CompareAndSwap(span, (low+1)<<32|high) {
			return int(low), true
		}
	}
}

// steal moves the further half of another worker's rest to this worker's own,
// empty, share. It reports whether there was anything to take.
func (p *Pool) steal(worker int) bool {
	for i := 1; i < p.workers; i++ {
		victim := &p.shares[(worker+i)%p.workers]
		for {
			span := victim.span.Load()
			low, high := span>>32, span&0xffffffff
			if low >= high {
				break
			}
			middle := low + (high-low)/2
			if victim.span.CompareAndSwap(span, low<<32|middle) {
				p.shares[worker].span.Store(middle<<32 | high)
				return true
			}
		}
	}
	return false
}
