package platform

import (
	"fmt"
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
	// wake has a channel for each worker with a goroutine of its own: all but
	// worker 0, who is the caller of Run, or in a pinned pool all.
	wake   []chan struct{}
	pinned bool
	shares []share
	task   Task
	left   atomic.Int64 // helpers that have not finished the present task
	done   chan struct{}
	exited sync.WaitGroup
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
	p := newPool(workers)
	for w := 1; w < workers; w++ {
		wake := p.addWake()
		p.exited.Go(func() { p.serve(w, wake) })
	}
	return p
}

// NewPoolOn is NewPinnedPool for a list of CPUs, and NewPool for none.
func NewPoolOn(cpus CPUs, workers int) (*Pool, error) {
	if len(cpus) == 0 {
		return NewPool(workers), nil
	}
	return NewPinnedPool(cpus, workers)
}

// NewPinnedPool starts a pool whose workers run on the CPUs alone; 0 workers or
// less means one for each CPU. With as many workers as CPUs each has one to
// itself, else the system spreads them. The caller of Run waits meanwhile.
func NewPinnedPool(cpus CPUs, workers int) (*Pool, error) {
	if err := cpus.Check(); err != nil {
		return nil, err
	}
	if workers <= 0 {
		workers = len(cpus)
	}
	p := newPool(workers)
	p.pinned = true
	for w := range workers {
		mine := cpus
		if workers == len(cpus) {
			mine = cpus[w : w+1]
		}
		if err := p.startPinned(w, mine); err != nil {
			p.Close()
			return nil, fmt.Errorf("%w: %s: %w", ErrCPUs, mine, err)
		}
	}
	return p, nil
}

func newPool(workers int) *Pool {
	return &Pool{workers: workers, shares: make([]share, workers), done: make(chan struct{}, 1)}
}

func (p *Pool) addWake() chan struct{} {
	wake := make(chan struct{}, 1)
	p.wake = append(p.wake, wake)
	return wake
}

// startPinned starts a worker on a thread of its own that is held to the CPUs.
func (p *Pool) startPinned(worker int, cpus CPUs) error {
	wake, pinned := p.addWake(), make(chan error)
	p.exited.Add(1)
	onOwnThread(func() {
		defer p.exited.Done()
		err := pinThread(cpus)
		pinned <- err
		if err == nil {
			p.serve(worker, wake)
		}
	})
	return <-pinned
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
	if !p.pinned && (p.workers == 1 || tiles == 1) {
		for tile := range tiles {
			task.Tile(0, tile)
		}
		return
	}
	helpers, workers := p.wake, p.workers
	if tiles == 1 {
		helpers, workers = p.wake[:1], 1
	}
	for w := range workers {
		low, high := uint64(tiles*w/workers), uint64(tiles*(w+1)/workers)
		p.shares[w].span.Store(low<<32 | high)
	}
	p.task = task
	p.left.Store(int64(len(helpers)))
	for _, wake := range helpers {
		wake <- struct{}{}
	}
	if !p.pinned {
		p.work(0)
	}
	<-p.done
	p.task = nil
}

func (p *Pool) serve(worker int, wake chan struct{}) {
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
