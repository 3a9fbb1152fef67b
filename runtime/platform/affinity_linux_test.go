package platform

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// allowed reads the CPUs that a thread may run on.
func allowed(status string) (string, error) {
	text, err := os.ReadFile(status)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if list, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
			return strings.TrimSpace(list), nil
		}
	}
	return "", fmt.Errorf("%s has no Cpus_allowed_list", status)
}

// usable are the CPUs that this process may run on.
func usable(t *testing.T) CPUs {
	t.Helper()
	list, err := allowed("/proc/self/status")
	if err != nil {
		t.Skip(err) // qemu's /proc has it of the host, a sandbox may have none
	}
	cpus, err := ParseCPUs(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := cpus.Check(); err != nil {
		t.Skip(err)
	}
	return cpus
}

// whereTask notes the mask of the thread that each worker's tiles run on.
type whereTask struct {
	lock  sync.Mutex
	masks map[int]map[string]bool // by worker
	tiles int
	err   error
}

func (w *whereTask) Tile(worker, _ int) {
	list, err := allowed(fmt.Sprintf("/proc/self/task/%d/status", unix.Gettid()))
	w.lock.Lock()
	defer w.lock.Unlock()
	if err != nil {
		w.err = err
	}
	if w.masks[worker] == nil {
		w.masks[worker] = map[string]bool{}
	}
	w.masks[worker][list] = true
	w.tiles++
}

func TestPinnedPool(t *testing.T) {
	cpus := usable(t)
	last := cpus[len(cpus)-1:]
	for _, c := range []struct {
		cpus    CPUs
		workers int
	}{{cpus, 0}, {last, 0}, {last, 3}, {cpus, len(cpus) + 1}, {cpus, 1}} {
		pool, err := NewPinnedPool(c.cpus, c.workers)
		if err != nil {
			t.Fatal(err)
		}
		want := c.workers
		if want == 0 {
			want = len(c.cpus)
		}
		if pool.Workers() != want {
			t.Errorf("%s with %d workers has %d", c.cpus, c.workers, pool.Workers())
		}
		w := &whereTask{masks: map[int]map[string]bool{}}
		pool.Run(w, 1)
		pool.Run(w, 200)
		pool.Run(w, 0)
		pool.Close()
		if w.err != nil || w.tiles != 201 {
			t.Errorf("%s: %d tiles, %v", c.cpus, w.tiles, w.err)
		}
		for worker, masks := range w.masks {
			mask := c.cpus.String()
			if pool.Workers() == len(c.cpus) {
				mask = c.cpus[worker : worker+1].String()
			}
			if len(masks) != 1 || !masks[mask] {
				t.Errorf("%s with %d workers: worker %d ran on %v, want %s", c.cpus, c.workers, worker, masks, mask)
			}
		}
	}
}

// The masks end with the pool: no other goroutine gets such a thread.
func TestPinnedThreadsEndWithTheirPool(t *testing.T) {
	cpus := usable(t)
	if len(cpus) < 2 {
		t.Skip("one CPU: a pinned thread looks like any other")
	}
	pinned := func() (n int) {
		tasks, err := filepath.Glob("/proc/self/task/*/status")
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			// A thread that has gone meanwhile is not pinned.
			if list, err := allowed(task); err == nil && list != cpus.String() {
				n++
			}
		}
		return n
	}
	settled := func(want int) bool {
		for range 200 {
			if pinned() == want {
				return true
			}
			time.Sleep(10 * time.Millisecond)
		}
		return false
	}
	if !settled(0) {
		t.Fatalf("%d threads are pinned before there is a pool", pinned())
	}
	pool, err := NewPinnedPool(cpus, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !settled(len(cpus)) {
		t.Errorf("%d threads are pinned, want %d", pinned(), len(cpus))
	}
	pool.Close()
	if !settled(0) {
		t.Errorf("%d pinned threads outlive their pool", pinned())
	}
}

// threadJob notes which threads its parts ran on.
type threadJob struct {
	pool    *Pool
	threads map[int]bool
	lock    sync.Mutex
}

func (j *threadJob) Do() error {
	j.note()
	j.pool.Run(j, 1)
	if err := j.pool.Do(&oneTask{pool: j.pool, task: j, tiles: 1}); err != nil {
		return err
	}
	return errors.New("done")
}

func (j *threadJob) Tile(int, int) { j.note() }

func (j *threadJob) note() {
	j.lock.Lock()
	defer j.lock.Unlock()
	j.threads[unix.Gettid()] = true
}

// A job and its tasks of one tile stay on the thread of worker 0.
func TestJobStaysOnItsThread(t *testing.T) {
	pool, err := NewPinnedPool(usable(t), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	job := &threadJob{pool: pool, threads: map[int]bool{}}
	for range 20 {
		if err := pool.Do(job); err == nil || err.Error() != "done" {
			t.Fatalf("the job's error is %v", err)
		}
		pool.Run(job, 1)
	}
	if len(job.threads) != 1 {
		t.Errorf("a job ran on %d threads", len(job.threads))
	}
}

func TestPinnedRunAllocatesNothing(t *testing.T) {
	pool, err := NewPinnedPool(usable(t), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	task := &countTask{counts: make([]atomic.Int32, 128)}
	for _, tiles := range []int{1, 128} {
		if n := testing.AllocsPerRun(100, func() { pool.Run(task, tiles) }); n != 0 {
			t.Errorf("%d tiles: %g allocations a run", tiles, n)
		}
	}
}

func TestUnusableCPUs(t *testing.T) {
	usable(t)
	if _, err := NewPinnedPool(nil, 0); !errors.Is(err, ErrCPUs) {
		t.Errorf("no CPU: %v", err)
	}
	possible, err := systemCPUs("possible")
	if err != nil {
		t.Skip(err)
	}
	missing := possible[len(possible)-1] + 1
	if missing >= maxCPUs {
		t.Skip("no number is free")
	}
	_, err = NewPinnedPool(CPUs{possible[0], missing}, 0)
	if !errors.Is(err, ErrCPUs) || !strings.Contains(err.Error(), fmt.Sprintf("CPU %d: does not exist", missing)) {
		t.Errorf("CPU %d of %s: %v", missing, possible, err)
	}
}

// A pool that is closed at once must still end.
func TestPinnedPoolClosedAtOnce(t *testing.T) {
	cpus := usable(t)
	for range 200 {
		pool, err := NewPinnedPool(cpus[:1], 2)
		if err != nil {
			t.Fatal(err)
		}
		pool.Close()
	}
}

// A CPU that the system has but the process was denied.
func TestDeniedCPUs(t *testing.T) {
	cpus := usable(t)
	for _, name := range []string{"online", "possible"} {
		list, err := systemCPUs(name)
		if err != nil {
			t.Skip(err)
		}
		for _, cpu := range list {
			pool, err := NewPinnedPool(CPUs{cpu}, 0)
			if err == nil { // its cgroup may allow more than its mask of the moment
				pool.Close()
			} else if !errors.Is(err, ErrCPUs) || slices.Contains(cpus, cpu) {
				t.Errorf("CPU %d: %v", cpu, err)
			}
		}
	}
}
