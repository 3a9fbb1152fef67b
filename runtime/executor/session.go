package executor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"
)

// Options say how a session is made.
type Options struct {
	// Bounds are the largest extents any run will have. Every one that the
	// methods use must be set; Width 0 means 1.
	Bounds op.Extents
	// Threads is the number of workers; 0 means as many as the process may use,
	// or one for each of CPUs.
	Threads int
	// CPUs, if any, are those that the workers are held to (see
	// platform.NewPinnedPool).
	CPUs platform.CPUs
	// Methods names the methods to bind; none means all.
	Methods []string
	// MaxBytes refuses, before anything is allocated, a session whose slots,
	// inputs, outputs and arena would take more; 0 means no limit. What a
	// delegate holds counts where it is the host's memory, its copies of
	// constants too; the program's constants themselves do not.
	MaxBytes int64
	// Profile records the time of every node (see Method.Stats and WriteTrace).
	Profile bool
	// Delegate, if any, runs the nodes that it supports; the registry's kernels
	// run the others.
	Delegate backend.Delegate
	// OnHost names methods that the delegate is not asked for: those that share
	// slots with what the caller does between runs, say.
	OnHost []string
	// KeepValues gives every value of a method storage of its own, to be read
	// after a run (see Method.Values). It costs memory and the fusion of values
	// that overwrite each other, and changes no result.
	KeepValues bool
	// Progress, if any, is told how far the delegate has come with what takes long
	// (see backend.SessionInfo).
	Progress func(what string, done, total int)
}

// Session holds a program's slots, its arena and its bound methods.
type Session struct {
	prog     *program.Program
	bounds   op.Extents
	pool     *platform.Pool
	slots    []slot
	arena    []byte
	methods  []*Method
	profiler *profiler

	delegate   backend.Delegate
	delegated  backend.Session // nil where no delegate was given
	keepValues bool
	notices    []string
}

// New makes a session. The program must be sound (program.Open and
// program.Verify see to that); registry gives the kernels.
func New(prog *program.Program, registry *kernel.Registry, o Options) (*Session, error) {
	return NewContext(context.Background(), prog, registry, o)
}

// NewContext is New for a delegate that may take long to compile: a cancelled
// context ends it.
func NewContext(ctx context.Context, prog *program.Program, registry *kernel.Registry, o Options) (*Session, error) {
	o.Bounds.Width = max(o.Bounds.Width, 1)
	pool, err := platform.NewPoolOn(o.CPUs, o.Threads)
	if err != nil {
		return nil, err
	}
	s := &Session{prog: prog, bounds: o.Bounds, pool: pool, delegate: o.Delegate, keepValues: o.KeepValues}
	if o.Profile {
		s.profiler = newProfiler()
	}
	if o.Delegate != nil {
		s.delegated, err = o.Delegate.Open(backend.SessionInfo{
			Bounds: o.Bounds, Slots: prog.Slots, Profile: o.Profile, Progress: o.Progress,
		})
		if err != nil {
			s.Close()
			return nil, err
		}
	}
	if err := s.bind(ctx, registry, &o); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Session) bind(ctx context.Context, registry *kernel.Registry, o *Options) error {
	for _, name := range o.Methods {
		if s.prog.Method(name) == nil {
			return s.noMethod(name)
		}
	}
	for i := range s.prog.Methods {
		def := &s.prog.Methods[i]
		if len(o.Methods) > 0 && !slices.Contains(o.Methods, def.Name) {
			continue
		}
		refusal := ""
		if slices.Contains(o.OnHost, def.Name) {
			refusal = "kept on the host"
		}
		m, err := layOut(s, def, registry, refusal)
		if err != nil {
			return fmt.Errorf("method %s: %w", def.Name, err)
		}
		s.methods = append(s.methods, m)
	}
	// The delegate takes its memory when it compiles: not for a session that
	// would be refused.
	wanted, err := s.admit(registry)
	if err != nil {
		return err
	}
	if _, _, err := s.measure(o.MaxBytes, wanted); err != nil {
		return err
	}
	if err := s.compile(ctx, registry); err != nil {
		return err
	}
	if err := s.allocate(o.MaxBytes); err != nil {
		return err
	}
	for _, m := range s.methods {
		if err := m.bind(); err != nil {
			return fmt.Errorf("method %s: %w", m.def.Name, err)
		}
	}
	return nil
}

// addressableBytes is more than any process can have: Go panics beyond.
const addressableBytes = 1 << 47

// admit asks the delegate, if it can tell, what memory its partitions will take. A
// method that it has no memory for runs on the host.
func (s *Session) admit(registry *kernel.Registry) (wanted backend.Memory, err error) {
	holder, ok := s.delegated.(backend.Holder)
	if !ok {
		return wanted, nil
	}
	var admitted []*backend.Partition
	for i, m := range s.methods {
		with := slices.Concat(admitted, m.partitions())
		memory, err := holder.Measure(with)
		if errors.Is(err, backend.ErrDeclined) {
			s.methods[i], err = layOut(s, m.def, registry, err.Error())
		} else if err == nil {
			admitted, wanted = with, memory
		}
		if err != nil {
			return wanted, fmt.Errorf("method %s: %w", m.def.Name, err)
		}
	}
	return wanted, nil
}

// compile has the delegate make its partitions ready. A method of which it
// declines one runs on the host.
func (s *Session) compile(ctx context.Context, registry *kernel.Registry) error {
	for i, m := range s.methods {
		err := m.compile(ctx)
		if errors.Is(err, backend.ErrDeclined) {
			m.release()
			s.methods[i], err = layOut(s, m.def, registry, err.Error())
		}
		if err != nil {
			return fmt.Errorf("method %s: %w", m.def.Name, err)
		}
		if s.delegate != nil {
			s.notices = append(s.notices, s.methods[i].placement())
		}
	}
	return nil
}

// measure gives the bytes of the arena and of each slot that needs storage, if
// all that the session needs is within the limit, with what the delegate takes of
// the host's memory.
func (s *Session) measure(maxBytes int64, delegated backend.Memory) (arena int, slots []int, err error) {
	total := 0.0
	for _, m := range s.methods {
		arena = max(arena, m.plan.Bytes)
		total += m.outsideBytes
	}
	sizes := make([]int, len(s.prog.Slots))
	for i, slot := range s.prog.Slots {
		size, err := slot.Type.Bytes(op.Extents{Width: 1})
		if err != nil {
			return 0, nil, fmt.Errorf("slot %s: %w", slot.Name, err)
		}
		if slot.Data == nil {
			sizes[i] = size
			total += float64(size)
		}
	}
	allowed := min(float64(math.MaxInt), addressableBytes)
	if maxBytes > 0 {
		allowed = min(allowed, float64(maxBytes))
	}
	short := &MemoryError{Allowed: allowed}
	if delegated.Shared {
		short.Delegated, short.Delegate = float64(delegated.Total()), s.delegate.Name()
	}
	if short.Needed = total + float64(arena) + short.Delegated; short.Needed > allowed {
		return 0, nil, short
	}
	return arena, sizes, nil
}

// allocate makes the slots and the arena.
func (s *Session) allocate(maxBytes int64) error {
	held, _ := s.Delegated()
	arena, sizes, err := s.measure(maxBytes, held)
	if err != nil {
		return err
	}
	for i := range s.prog.Slots {
		data := s.prog.Slots[i].Data
		if data == nil {
			data = platform.Aligned(sizes[i])
		}
		s.slots = append(s.slots, slot{data: data, newest: onHost})
	}
	s.arena = platform.Aligned(arena)
	return nil
}

// Close ends the session's threads, and the delegate's part of it.
func (s *Session) Close() {
	s.pool.Close()
	if s.delegated != nil {
		s.delegated.Close()
		s.delegated = nil
	}
}

// Method returns a bound method.
func (s *Session) Method(name string) (*Method, error) {
	for _, m := range s.methods {
		if m.def.Name == name {
			return m, nil
		}
	}
	return nil, s.noMethod(name)
}

func (s *Session) noMethod(name string) error {
	var have []string
	for i := range s.prog.Methods {
		have = append(have, s.prog.Methods[i].Name)
	}
	return fmt.Errorf("%w: %q; the program has %q", ErrNoMethod, name, have)
}

// Program is the program that the session runs.
func (s *Session) Program() *program.Program { return s.prog }

// SlotBytes is the size of slot i's storage.
func (s *Session) SlotBytes(i int) int { return len(s.slots[i].data) }

// Threads is the number of workers.
func (s *Session) Threads() int { return s.pool.Workers() }

// Notices say, a line each, what the delegate runs and what it does not.
func (s *Session) Notices() []string { return s.notices }

// Moved are the bytes that have crossed to the delegate and back since the
// session was made.
func (s *Session) Moved() (up, down int64) {
	if s.delegated == nil {
		return 0, 0
	}
	return s.delegated.Moved()
}

// Delegated is the memory that the delegate holds for the session; false where
// there is none, or none that tells.
func (s *Session) Delegated() (backend.Memory, bool) {
	holder, ok := s.delegated.(backend.Holder)
	if !ok {
		return backend.Memory{}, false
	}
	return holder.Held(), true
}

// ArenaBytes is the size of the arena that all methods share.
func (s *Session) ArenaBytes() int { return len(s.arena) }
