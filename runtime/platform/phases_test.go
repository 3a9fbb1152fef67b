package platform

import (
	"testing"
	"time"
)

// pieces is a task whose tiles time half of themselves apart.
type pieces struct {
	pool *Pool
	run  func()
}

func (p *pieces) Tile(worker, _ int) {
	p.run()
	clock := p.pool.Clock(worker)
	began := clock.Now()
	p.run()
	clock.Apart(3, began, 1)
}

// spin makes the processor work for some microseconds.
func spin() {
	for begin := time.Now(); time.Since(begin) < 5*time.Microsecond; {
	}
}

// Time is taken down under the phase that it was spent on and under no other, on
// every worker, and taken once.
func TestPhases(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		pool := NewPool(workers)
		pool.TimePhases()
		task := &pieces{pool, spin}
		var spent, rest Spent
		err := pool.Do(jobOf(func() error {
			pool.BeginPhases()
			defer pool.EndPhases()
			pool.RunAs(2, task, 200)
			pool.TakePhases(&spent)
			if spent[0] == 0 { // between the phases
				t.Errorf("%d workers: worker 0 is not timed", workers)
			}
			pool.TakePhases(&rest)
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		for phase, d := range spent {
			if want := phase == 0 || phase == 2 || phase == 3; (d > 0) != want {
				t.Errorf("%d workers: %s in phase %d", workers, d, phase)
			}
			if phase > 0 && rest[phase] != 0 {
				t.Errorf("%d workers: %s of phase %d are taken twice", workers, rest[phase], phase)
			}
		}
		pool.Close()
	}
}

type jobOf func() error

func (j jobOf) Do() error { return j() }

// A pool that does not time phases takes nothing down, and gives clocks that may be
// asked.
func TestUntimedPhases(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	var spent Spent
	pool.BeginPhases()
	pool.RunAs(1, &pieces{pool, spin}, 20)
	pool.TakePhases(&spent)
	pool.EndPhases()
	if spent != (Spent{}) {
		t.Errorf("%v", spent)
	}
}

// A piece that was interrupted counts as much as others of as much work do, and
// what it was interrupted for goes to no phase of a thread's own time.
func TestInterruptedPieces(t *testing.T) {
	c := WorkerClock{origin: time.Now().Add(-time.Hour)}
	for range 10 {
		c.pieces, c.work = c.pieces+time.Microsecond, c.work+10
	}
	c.Apart(1, c.Now()-time.Second, 20)
	if c.spent[1] != 2*time.Microsecond || c.work != 100 {
		t.Errorf("%s, of work %d", c.spent[1], c.work)
	}
	c.Apart(1, c.Now()-40*time.Microsecond, 1) // long for its work, but not very long
	if got := c.spent[1] - 2*time.Microsecond; got < 40*time.Microsecond || c.work != 101 {
		t.Errorf("%s, of work %d", got, c.work)
	}
}

func TestTimingAllocatesNothing(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	pool.TimePhases()
	task := &pieces{pool, func() {}}
	var spent Spent
	if n := testing.AllocsPerRun(100, func() {
		pool.BeginPhases()
		pool.RunAs(1, task, 64)
		pool.TakePhases(&spent)
		pool.EndPhases()
	}); n != 0 {
		t.Errorf("%g allocations a run", n)
	}
}
