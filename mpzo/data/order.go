package data

import (
	"fmt"
	"math/bits"
)

// Order says which examples each training step takes. Every epoch is a
// permutation of the examples, and training walks through one epoch after the
// other; a batch may begin in one and end in the next. An Order holds no
// state: any step can be asked for at any time, so a run that is resumed goes
// on with the very batches it would have had.
//
// The permutation is a Feistel network over the smallest even number of bits
// that can count the examples, walked until it lands among them. Journals
// depend on it: it never changes.
type Order struct {
	seed     uint64
	examples uint64
	batch    uint64
	half     uint // bits of half a block
}

// feistelRounds is more than mixing needs, since blocks are as small as 2 bits.
const feistelRounds = 8

// NewOrder returns the order of a number of examples in batches.
func NewOrder(seed uint64, examples, batch int) (Order, error) {
	if examples < 1 || batch < 1 {
		return Order{}, fmt.Errorf("order of %d examples in batches of %d: both must be positive: %w", examples, batch, ErrBatch)
	}
	width := uint(bits.Len64(uint64(examples) - 1))
	return Order{
		seed: seed, examples: uint64(examples), batch: uint64(batch),
		half: max(1, (width+1)/2),
	}, nil
}

// Batch appends to dst[:0] the indices of the examples of a step, counted from
// 0, and returns it.
func (o Order) Batch(step uint64, dst []int) []int {
	dst = dst[:0]
	for i := range o.batch {
		dst = append(dst, o.at(step*o.batch+i))
	}
	return dst
}

// Epoch returns how often every example has been taken before the step.
func (o Order) Epoch(step uint64) uint64 { return step * o.batch / o.examples }

// at returns the example at a place of the endless sequence of epochs.
func (o Order) at(place uint64) int {
	key := mix(o.seed ^ mix(place/o.examples+golden))
	index := place % o.examples
	for {
		index = o.permute(key, index)
		if index < o.examples {
			return int(index)
		}
	}
}

// permute is a permutation of the blocks of 2·half bits, one for each key.
func (o Order) permute(key, block uint64) uint64 {
	mask := uint64(1)<<o.half - 1
	left, right := block>>o.half, block&mask
	for round := uint64(1); round <= feistelRounds; round++ {
		left, right = right, left^(mix(key+round*golden+right)&mask)
	}
	return left<<o.half | right
}

// golden is 2⁶⁴ divided by the golden ratio, the stride of SplitMix64.
const golden = 0x9e3779b97f4a7c15

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014): a bijection
// of 64 bits of which every output bit depends on every input bit.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
