package gpu

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"
	"time"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Tile says how large the tiles of a product are: 8·A rows of x by 16·B of W.
type Tile struct{ A, B int }

func (t Tile) rows() int    { return 8 * t.A }
func (t Tile) columns() int { return 16 * t.B }

// tiles are those that kernels are tried with: none takes more than 13 KiB of
// shared memory.
var tiles = []Tile{{2, 4}, {2, 8}, {4, 4}, {4, 8}, {8, 4}, {8, 8}}

// matrixTiles are tried, too, with kernels of matrices of two copies or more: there an
// invocation has as much of a tile of 128 by 128 in registers as a subgroup's products
// are good for, and W is decoded for more rows at once. None takes more than 26 KiB of
// shared memory.
var matrixTiles = []Tile{{16, 4}, {16, 8}}

// Tiles are the tiles that may be tried with any kernel.
func Tiles() []Tile { return slices.Clone(tiles) }

// MatrixTiles are those that may be tried with kernels of matrices alone.
func MatrixTiles() []Tile { return slices.Clone(matrixTiles) }

// usualTile is the tile for a number of rows of x where none was tried: few rows
// waste less in a small one.
func usualTile(rows int) Tile {
	if rows <= 16 {
		return Tile{2, 4}
	}
	return Tile{8, 4}
}

// Tuned is a Device whose tiles can be chosen by trying.
type Tuned interface {
	// TuningName tells the device and its driver from others; "" where trying
	// would tell nothing.
	TuningName() string
}

// class is what the best tile depends on.
type class struct {
	// weights is weightCode; where x is rounded, also which multiplier it is, from
	// bit 8, and the kinds of x's rows, from bit 16; and halfClass.
	weights    uint32
	rows, M, K int // rows: a power of two
}

func (c class) String() string { return fmt.Sprintf("%d %d %d %d", c.weights, c.rows, c.M, c.K) }

// The most rows of x and of W that a tile is tried with.
const (
	mostTriedRows    = 512
	mostTriedColumns = 4096
)

func classOf(w op.Type, rows, M, K int) class {
	rows = min(1<<bits.Len(uint(max(rows, 1)-1)), mostTriedRows)
	return class{weightCode(w), rows, min(M, mostTriedColumns), K}
}

// rounded is the class of a product with a rounded x of so many copies.
func (c class) rounded(m *multiplier, copies int) class {
	c.weights |= m.number()<<8 | uint32(m.kinds(copies))<<16
	return c
}

// halfClass is set where x and y are f16.
const halfClass = 1 << 7

// kinds are those of x's rows; 0 where it is not rounded.
func (c class) kinds() int { return int(c.weights >> 16) }

// matrices reports whether it is of a multiplier by matrices.
func (c class) matrices() bool { return c.weights>>8&0xff > dotNumber }

// candidates are the tiles to try: not those of which most rows would be empty.
func (c class) candidates() []Tile {
	var list []Tile
	for _, t := range tiles {
		if t.A == 2 || t.rows() <= 2*c.rows && c.rows > 16 {
			list = append(list, t)
		}
	}
	for _, t := range matrixTiles {
		if c.matrices() && c.kinds() > 1 && t.rows() <= 2*c.rows {
			list = append(list, t)
		}
	}
	return list
}

// tuner tries tiles, each class once, and keeps what it found in a file. Classes of
// which no tile could be tried, for want of memory say, are not kept: the next
// process tries them again.
type tuner struct {
	mutex   sync.Mutex
	best    map[class]Tile
	untried map[class]bool
	store   tileStore
}

// trial is how long tiles may be tried, and who is told of it.
type trial struct {
	ctx  context.Context
	tell func(what string, done, total int)
}

// tile picks the tile of a product with all of x, rounded for m unless that is nil.
// It tries only where the device's memory may be used for that.
func (b *builder) tile(m *multiplier, w, x *kernel.Tensor) Tile {
	o, rows := b.Ops, x.Width*x.Shape[0]
	if o.options.Tile != (Tile{}) {
		return o.options.Tile
	}
	M, K := w.Shape[0], w.Shape[1]
	if o.tuner == nil || M == 0 || K == 0 || rows == 0 {
		return usualTile(rows)
	}
	c := classOf(w.Type, rows, M, K)
	if m != nil {
		c = c.rounded(m, x.Width)
	}
	if b.half {
		c.weights |= halfClass
	}
	o.tuner.mutex.Lock()
	defer o.tuner.mutex.Unlock()
	t, ok := o.tuner.best[c]
	if !ok && b.trial != nil && !o.tuner.untried[c] {
		if t, ok = o.try(b.trial, m, w.Type, c); ok {
			o.tuner.best[c] = t
			o.tuner.store.save(o.tuner.best)
		}
		if err := b.trial.ctx.Err(); err != nil {
			b.err = cmp.Or(b.err, err)
		} else {
			o.tuner.untried[c] = !ok
		}
	}
	if !ok {
		return usualTile(rows)
	}
	return t
}

// try times the candidates and returns the fastest, if any can be run and the
// trial was not cut short.
func (o *Ops) try(trial *trial, m *multiplier, w op.Type, c class) (best Tile, ok bool) {
	least, list := math.Inf(1), c.candidates()
	for i, t := range list {
		trial.tell(fmt.Sprintf("tiles tried for products of %d by %d", c.M, c.K), i, len(list))
		if s, err := o.timeOf(trial.ctx, m, w, c, t, often); err == nil && s < least {
			best, least, ok = t, s, true
		}
	}
	return best, ok && trial.ctx.Err() == nil
}

// How often a product is timed. The first run is slow on many devices, and clocks
// rise only under work.
const (
	leastRuns = 4
	mostRuns  = 64
	trialTime = 30 * time.Millisecond
)

// repetition is how often a product is computed in a run, and how many runs there
// are at least and at most.
type repetition struct{ repeats, least, most int }

var (
	often = repetition{4, leastRuns, mostRuns}
	probe = repetition{1, 2, 2} // where that takes too long, or to learn whether it does
)

// timeOf is the least time of some runs of a product, in seconds. What it
// multiplies is whatever lies in memory.
func (o *Ops) timeOf(ctx context.Context, m *multiplier, w op.Type, c class, t Tile, times repetition) (float64, error) {
	limits := o.device.Limits()
	w = partType(w, c.M)
	w.Wide = false
	var spans []Span
	defer func() {
		for _, s := range spans {
			s.Buffer.Free()
		}
	}()
	copies := max(c.kinds(), 1)
	x := &kernel.Tensor{Width: copies, Shape: []int{ceilDiv(c.rows, copies), c.K}}
	rows := copies * x.Shape[0]
	half := c.weights&halfClass != 0
	each := elementBytes(half)
	sizes := []int64{int64(rows) * int64(c.K) * each, partBytes(w, c.M, false), int64(rows) * int64(c.M) * each}
	if m != nil {
		sizes[0] = int64(rows) * int64(m.words(c.K)) * 4
		sizes = append(sizes, int64(rows)*4)
	}
	for _, bytes := range sizes {
		if bytes > min(limits.BufferBytes, limits.AllocationBytes) {
			return 0, fmt.Errorf("%w: %d bytes", ErrTooLarge, bytes)
		}
		buffer, err := o.device.Allocate(bytes, Local)
		if err != nil {
			return 0, err
		}
		spans = append(spans, Span{Buffer: buffer, Size: bytes})
	}
	b := &builder{Ops: o, limits: limits, half: half}
	for range times.repeats {
		p := product{
			x:       x,
			weights: &kernel.Tensor{Type: w, Width: 1, Shape: []int{c.M, c.K}},
			parts:   []part{{span: spans[1], rows: c.M}},
			input:   spans[0], output: spans[2], bias: o.table, hidden: o.table, loraB: o.table, scale: 1,
			copies: func() (w, P, N int) { return copies, copies, x.Shape[0] },
		}
		if m != nil {
			b.addRoundedFor(m, t, copies, rounded{codes: spans[0], scales: spans[3]}, p)
		} else {
			b.addProductIn(t, p)
		}
	}
	if err := o.device.Compile(ctx, b.stages[0].Kernel, b.stages[0].Constants); err != nil {
		return 0, err
	}
	recording, err := o.device.Record(b.stages)
	if err != nil {
		return 0, err
	}
	defer recording.Free()
	seconds, err := leastTime(ctx, recording, times)
	return seconds / float64(times.repeats), err
}

// slowRun is how long a run may take that is worth another.
const slowRun = time.Second

// leastTime is the least time of some runs, in seconds.
func leastTime(ctx context.Context, r Recording, times repetition) (float64, error) {
	least := math.Inf(1)
	begin := time.Now()
	for i := 0; i < times.least || i < times.most && time.Since(begin) < trialTime; i++ {
		start := time.Now()
		if err := r.Run(ctx); err != nil {
			return 0, err
		}
		took := time.Since(start)
		least = min(least, took.Seconds())
		if took > slowRun {
			break
		}
	}
	return least, nil
}
