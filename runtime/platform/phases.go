package platform

import (
	"runtime"
	"time"
)

// Phase is one of the things that the workers of a pool spend their time on. 0 is
// all that no other is named for.
type Phase uint8

// Phases is how many there can be.
const Phases = 8

// Spent is time by phase.
type Spent [Phases]time.Duration

// phases is what a pool keeps to time them.
type phases struct {
	now    Phase // of all that runs
	clocks []WorkerClock
}

// WorkerClock takes down what one worker spends on each phase: time of its thread,
// where the system tells it, so that waiting and other programs do not count. A nil
// one takes nothing down.
type WorkerClock struct {
	thread threadClock
	spent  Spent
	begin  time.Duration // of the phase, by the thread's clock
	apart  time.Duration // taken down since then for pieces
	// What all pieces took that were not interrupted, and how much work they were.
	pieces time.Duration
	work   int
	origin time.Time
	cost   time.Duration // of reading the time of a piece
	_      [64]byte      // the next worker's are on other lines
}

// A piece of a tile is timed by the clock on the wall, which is quicker to read
// than the thread's. One that took so long, and so many times what others take for
// as much work, was interrupted: it counts as much as they do.
const (
	longPiece    = 50 * time.Microsecond
	longForPiece = 8
)

// TimePhases makes the pool time phases from now on. Nothing may be running.
func (p *Pool) TimePhases() {
	p.phases = &phases{clocks: make([]WorkerClock, p.workers)}
	for i := range p.phases.clocks {
		c := &p.phases.clocks[i]
		c.origin = time.Now()
		c.cost = time.Hour
		for range 100 {
			c.cost = min(c.cost, -c.Now()+c.Now())
		}
	}
}

// BeginPhases begins to time the caller, who runs tasks as worker 0, and EndPhases
// ends it. Both belong in a Job, and do nothing in a pool that does not time phases.
func (p *Pool) BeginPhases() {
	if p.phases != nil {
		p.phases.clocks[0].start()
	}
}

// EndPhases is described with BeginPhases.
func (p *Pool) EndPhases() {
	if p.phases != nil {
		p.phases.stop(0)
	}
}

// TakePhases adds to a sum what all workers have spent since it was last called.
// Between BeginPhases and EndPhases it is for worker 0 to call.
func (p *Pool) TakePhases(to *Spent) {
	if p.phases == nil {
		return
	}
	p.phases.clocks[0].charge(p.phases.now)
	for i := range p.phases.clocks {
		c := &p.phases.clocks[i]
		for phase, spent := range c.spent {
			to[phase] += spent
		}
		c.spent = Spent{}
	}
}

// RunAs is Run for work that belongs to a phase.
func (p *Pool) RunAs(phase Phase, task Task, tiles int) {
	p.enter(phase)
	p.Run(task, tiles)
	p.enter(0)
}

func (p *Pool) enter(phase Phase) {
	if p.phases != nil {
		p.phases.clocks[0].charge(p.phases.now)
		p.phases.now = phase
	}
}

// Clock is a worker's, for tiles that time pieces of themselves, or nil.
func (p *Pool) Clock(worker int) *WorkerClock {
	if p.phases == nil {
		return nil
	}
	return &p.phases.clocks[worker]
}

// start begins to time the calling thread, to which the worker is held meanwhile.
func (c *WorkerClock) start() {
	runtime.LockOSThread()
	c.begin, c.apart = c.thread.read(), 0
}

func (t *phases) stop(worker int) {
	t.clocks[worker].charge(t.now)
	runtime.UnlockOSThread()
}

// charge takes down what was spent on a phase since the last one.
func (c *WorkerClock) charge(phase Phase) {
	now := c.thread.read()
	c.spent[phase] += max(now-c.begin-c.apart, 0)
	c.begin, c.apart = now, 0
}

// Now is the time at which a piece of a tile begins.
func (c *WorkerClock) Now() time.Duration {
	if c == nil {
		return 0
	}
	return time.Since(c.origin)
}

// Apart takes down a piece of a tile, which began at a time that Now gave, as of a
// phase of its own. work is how much it was, in any unit.
func (c *WorkerClock) Apart(phase Phase, began time.Duration, work int) {
	if c == nil {
		return
	}
	took := max(c.Now()-began-c.cost, 0)
	usual := took
	if c.work > 0 {
		usual = time.Duration(float64(work) * float64(c.pieces) / float64(c.work))
	}
	if took > longPiece && took > longForPiece*usual {
		took = usual
	} else {
		c.pieces += took
		c.work += work
	}
	c.spent[phase] += took
	c.apart += took
}
