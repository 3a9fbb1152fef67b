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

// Job is a piece of work that runs tasks, one after another.
type Job interface{ Do() error }

// Pool runs tasks on a fixed set of threads. Each worker begins with an equal
// share of the tiles; one that has finished its own steals the further half of
// another's rest, so that slow cores (big.LITTLE) delay nobody. Running a task
// or a job allocates nothing. A Pool is for one caller at a time.
type Pool struct {
	workers int
	wake    []chan struct{} // of workers 1 and up
	shares  []share
	task    Task
	// joined counts the workers beside worker 0 that are at the present task;
	// shut is taken from it when nobody may join any more. Only who has joined
	// looks at the task and the shares, so a thread that the system wakes late
	// delays nobody.
	joined atomic.Int64
	done   chan struct{} // the last has left a task that was shut
	exited sync.WaitGroup

	// In a pinned pool worker 0 has a goroutine of its own, which takes jobs;
	// else it is the caller, and jobs is nil.
	jobs    chan Job
	results chan error
	inJob   bool    // worker 0 does a job; changed by the caller while it does none
	single  oneTask // the job of a Run outside any
	phases  *phases // nil where they are not timed
}

// shut makes joined negative, however many have joined.
const shut = 1 << 32

// oneTask is the job of running one task.
type oneTask struct {
	pool  *Pool
	task  Task
	tiles int
}

func (o *oneTask) Do() error {
	o.pool.Run(o.task, o.tiles)
	return nil
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
// itself, else the system spreads them. The caller of Do or Run waits meanwhile.
func NewPinnedPool(cpus CPUs, workers int) (*Pool, error) {
	if err := cpus.Check(); err != nil {
		return nil, err
	}
	if workers <= 0 {
		workers = len(cpus)
	}
	p := newPool(workers)
	p.jobs, p.results = make(chan Job, 1), make(chan error, 1)
	p.single.pool = p
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
	p := &Pool{workers: workers, shares: make([]share, workers), done: make(chan struct{}, 1)}
	p.joined.Store(-shut)
	return p
}

func (p *Pool) addWake() chan struct{} {
	wake := make(chan struct{}, 1)
	p.wake = append(p.wake, wake)
	return wake
}

// startPinned starts a worker on a thread of its own that is held to the CPUs.
func (p *Pool) startPinned(worker int, cpus CPUs) error {
	jobs := p.jobs // Close may set it to nil before the worker looks
	serve := func() { p.serveJobs(jobs) }
	if worker > 0 {
		wake := p.addWake()
		serve = func() { p.serve(worker, wake) }
	}
	pinned := make(chan error)
	p.exited.Add(1)
	onOwnThread(func() {
		defer p.exited.Done()
		err := pinThread(cpus)
		pinned <- err
		if err == nil {
			serve()
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
	if p.jobs != nil {
		close(p.jobs)
		p.jobs = nil
	}
	p.exited.Wait()
}

// Do runs a job on worker 0. In a pinned pool that is another thread, to which
// each change costs some microseconds or, on a busy machine, many: whoever runs
// many tasks in a row does so in a job.
func (p *Pool) Do(job Job) error {
	if p.jobs == nil || p.inJob {
		return job.Do()
	}
	p.inJob = true
	p.jobs <- job
	err := <-p.results
	p.inJob = false
	return err
}

func (p *Pool) serveJobs(jobs chan Job) {
	for job := range jobs {
		p.results <- job.Do()
	}
}

// Run runs tiles 0 … tiles−1 of task and returns when all are done.
func (p *Pool) Run(task Task, tiles int) {
	switch {
	case tiles <= 0:
	case p.jobs != nil && !p.inJob:
		p.single.task, p.single.tiles = task, tiles
		_ = p.Do(&p.single) // which cannot fail
		p.single.task = nil
	case p.workers == 1 || tiles == 1:
		for tile := range tiles {
			task.Tile(0, tile)
		}
	default:
		p.share(task, tiles)
	}
}

// share runs the tiles on all workers, the caller being worker 0.
func (p *Pool) share(task Task, tiles int) {
	for w := range p.shares {
		low, high := uint64(tiles*w/p.workers), uint64(tiles*(w+1)/p.workers)
		p.shares[w].span.Store(low<<32 | high)
	}
	p.task = task
	p.joined.Store(0)
	for _, wake := range p.wake {
		select {
		case wake <- struct{}{}:
		default: // it has not woken from the last time yet, and will
		}
	}
	p.work(0)
	if p.joined.Add(-shut) > -shut {
		<-p.done
	}
	p.task = nil
}

// join reports whether there is a task that is not shut.
func (p *Pool) join() bool {
	for {
		n := p.joined.Load()
		if n < 0 {
			return false
		}
		if p.joined.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (p *Pool) serve(worker int, wake chan struct{}) {
	for range wake {
		if !p.join() {
			continue
		}
		p.help(worker)
		if p.joined.Add(-1) == -shut {
			p.done <- struct{}{}
		}
	}
}

// help is work, timed where phases are.
func (p *Pool) help(worker int) {
	if p.phases != nil {
		p.phases.clocks[worker].start()
		defer p.phases.stop(worker)
	}
	p.work(worker)
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
