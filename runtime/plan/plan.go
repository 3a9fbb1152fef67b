// Package plan places the temporary tensors of a method in one arena.
//
// A tensor is live from the node that makes it to the last node that reads it;
// tensors that are never live together may share bytes. Offsets are found
// greedily, largest tensor first (Pisarchyk and Lee, "Efficient memory
// management for deep neural net inference", 2020), and then checked by
// Verify, which trusts nothing of how they were found.
package plan

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Align is the alignment of every tensor in bytes: a cache line, and the
// longest vector register.
const Align = 64

// ErrInvalid is wrapped by the errors of a plan that cannot be or is not sound.
var ErrInvalid = errors.New("invalid memory plan")

// Item is a tensor to place: it is live at steps First to Last, both included.
type Item struct {
	Name        string
	Bytes       int
	First, Last int
}

// Placed is an item at an offset of the arena, in bytes.
type Placed struct {
	Item
	Offset int
}

// Plan is a placement of all items.
type Plan struct {
	Items []Placed // in the order the items were given
	Bytes int      // size of the arena
	// LowerBound is the most bytes that are live at one step: no placement
	// can be smaller.
	LowerBound int
}

// Build places the items.
func Build(items []Item) (*Plan, error) {
	p := &Plan{Items: make([]Placed, len(items))}
	order := make([]int, len(items))
	for i, item := range items {
		if item.Bytes < 0 || item.Bytes > math.MaxInt-Align || item.First > item.Last || item.First < 0 {
			return nil, fmt.Errorf("%w: %s: %d bytes live from step %d to %d", ErrInvalid, item.Name, item.Bytes, item.First, item.Last)
		}
		p.Items[i].Item = item
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(items[b].Bytes, items[a].Bytes), cmp.Compare(items[a].First, items[b].First))
	})
	var placed []int // indices into p.Items, by offset
	for _, i := range order {
		if err := p.place(i, placed); err != nil {
			return nil, err
		}
		at, _ := slices.BinarySearchFunc(placed, p.Items[i].Offset, func(j, offset int) int {
			return cmp.Compare(p.Items[j].Offset, offset)
		})
		placed = slices.Insert(placed, at, i)
	}
	bound, err := lowerBound(items)
	if err != nil {
		return nil, err
	}
	p.LowerBound = bound
	return p, p.Verify()
}

// place gives item i the lowest offset at which it meets no placed item that
// is live with it.
func (p *Plan) place(i int, placed []int) error {
	item := &p.Items[i]
	size := roundUp(item.Bytes)
	offset := 0
	for _, j := range placed {
		other := &p.Items[j]
		if !overlap(item.Item, other.Item) {
			continue
		}
		if other.Offset-offset >= size {
			break
		}
		offset = max(offset, other.Offset+roundUp(other.Bytes))
	}
	if offset > math.MaxInt-size {
		return fmt.Errorf("%w: %s does not fit this machine's address space", ErrInvalid, item.Name)
	}
	item.Offset = offset
	p.Bytes = max(p.Bytes, offset+size)
	return nil
}

func overlap(a, b Item) bool { return a.First <= b.Last && b.First <= a.Last }

func roundUp(n int) int { return (n + Align - 1) / Align * Align }

func lowerBound(items []Item) (int, error) {
	steps := 0
	for _, item := range items {
		steps = max(steps, item.Last+1)
	}
	change := make([]int, steps+1)
	for _, item := range items {
		change[item.First] += roundUp(item.Bytes)
		change[item.Last+1] -= roundUp(item.Bytes)
	}
	live, most := 0, 0
	for _, c := range change {
		if live += c; live < 0 {
			return 0, fmt.Errorf("%w: live bytes do not fit this machine's address space", ErrInvalid)
		}
		most = max(most, live)
	}
	return most, nil
}

// Verify checks that every item lies aligned within the arena and that no two
// items that are live together share a byte.
func (p *Plan) Verify() error {
	for i := range p.Items {
		a := &p.Items[i]
		if a.Offset < 0 || a.Offset%Align != 0 || a.Bytes < 0 || a.Bytes > p.Bytes-a.Offset {
			return fmt.Errorf("%w: %s: %d bytes at %d of an arena of %d", ErrInvalid, a.Name, a.Bytes, a.Offset, p.Bytes)
		}
		for j := range i {
			b := &p.Items[j]
			if overlap(a.Item, b.Item) && a.Offset < b.Offset+b.Bytes && b.Offset < a.Offset+a.Bytes {
				return fmt.Errorf("%w: %s and %s are live together and share bytes", ErrInvalid, a.Name, b.Name)
			}
		}
	}
	return nil
}
