package gpu

import (
	"context"
	"time"

	"zeroth/runtime/op"
)

// ProductTime is how quick a product is in the best of the tiles.
type ProductTime struct {
	Kernel  string
	Tile    Tile
	Tiles   int     // that could be timed
	Tried   int     // that were
	Rows    int     // of x: fewer than were asked for where the device is slow
	Seconds float64 // without what rounds x
	Against string  // the Peak that its kernel is held against
}

// fewRows is how many rows of x tell how quick a device is, and the fewest that a
// product is timed with where more were asked for.
const fewRows = 64

// TimeProduct times x Wᵀ with x of so many rows, a ± pair of copies, and W of a type
// with constant dimensions. Where all tiles together would take longer than the
// budget, it halves the rows until they do not, or are few; then runs each less
// often; and when the budget is spent it leaves tiles out.
func (o *Ops) TimeProduct(ctx context.Context, w op.Type, rows int, budget time.Duration) (ProductTime, error) {
	begin := time.Now()
	limits := o.device.Limits()
	m := limits.Arithmetic.multiplierFor(w)
	c := class{weightCode(w), rows, w.Shape[0].Offset, w.Shape[1].Offset}
	best := ProductTime{Kernel: kernelLinear.Name, Against: m.instruction()}
	if m != nil {
		c = c.rounded(m, 2)
		best.Kernel = m.linear.Name
	}
	if limits.Arithmetic.Store16 {
		c.weights |= halfClass
	}
	c, times, err := o.affordable(ctx, m, w, c, budget)
	if err != nil {
		return best, err
	}
	list := o.tilesFor(c)
	best.Rows, best.Tiles = c.rows, len(list)
	for _, t := range list {
		if best.Tried > 0 && time.Since(begin) > budget {
			break
		}
		seconds, err := o.timeOf(ctx, m, w, c, t, times)
		if err != nil {
			return best, err
		}
		best.Tried++
		if best.Seconds == 0 || seconds < best.Seconds {
			best.Tile, best.Seconds = t, seconds
		}
	}
	return best, nil
}

// tilesFor are the tiles that a class is timed in.
func (o *Ops) tilesFor(c class) []Tile {
	if o.options.Tile != (Tile{}) {
		return []Tile{o.options.Tile}
	}
	return c.candidates()
}

// affordable is a class with as many of its rows as can be timed within a budget, and
// how often. Few rows tell, unless there are no more.
func (o *Ops) affordable(ctx context.Context, m *multiplier, w op.Type, c class, budget time.Duration) (class, repetition, error) {
	if c.rows <= fewRows {
		return c, often, nil
	}
	few := c
	few.rows = fewRows
	seconds, err := o.timeOf(ctx, m, w, few, o.tilesFor(few)[0], probe)
	if err != nil {
		return c, often, err
	}
	all := func() float64 { // what all tiles would take
		return seconds * float64(c.rows) / fewRows * float64(len(o.tilesFor(c))*often.least*often.repeats)
	}
	for c.rows > fewRows && all() > budget.Seconds() {
		c.rows = max(c.rows/2, fewRows)
	}
	if all() > budget.Seconds() {
		return c, probe, nil
	}
	return c, often, nil
}
