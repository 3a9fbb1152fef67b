package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/platform"
)

// attention computes softmax(scale · q kᵀ) v within each packed sequence:
// q [w, N, H·D], k and v [w, N, HKV·D], offsets [S+1] → [w, N, H·D].
//
// A tile is one key head of one copy for a block of queries of one sequence.
// Queries go in panels of 16 lanes, a lane being one query of one of the heads
// that share the key head. Keys and values come block by block, once for all
// panels, and a panel's softmax is brought up to date with each block (Milakov
// and Gimelshein, "Online normalizer calculation for softmax", 2018). Scores lie
// key by key with a lane for each query, so that the weighted sum of values
// takes them as they are, and nothing is summed across lanes.
//
// What a causal query must not see has weight 0.
type attention struct {
	*routines
	call    *kernel.Call
	kvHeads int
	group   int // query heads to one key head
	scale   float32
	causal  bool
	blocks  []queryBlock // of one copy; as many as the run's sequences need
	spaces  perWorker
	D       int
	queries int // most in a block
	keys    int // most in a block
}

// queryBlock is a run of queries [q0, q1) of the sequence of tokens [s0, s1).
type queryBlock struct{ s0, s1, q0, q1 int }

// Elements of a block's panels of queries and of its keys, and the most lanes
// and keys that this may come to: so much that a block's work outweighs copying
// its keys, and that all of it fits the L2 cache.
const (
	queryElements, mostLanes = 24576, 384
	keyElements, mostKeys    = 16384, 256
	leastLanes, leastKeys    = 64, 64
)

// panelLanes is the number of queries in a panel.
const panelLanes = 16

func (r *routines) newAttention(c *kernel.Call) *attention {
	heads, kvHeads := c.Attrs.Int("num_heads"), c.Attrs.Int("kv_num_heads")
	a := &attention{
		routines: r, call: c, kvHeads: kvHeads, group: heads / kvHeads,
		scale: float32(c.Attrs.Float("scale")), causal: c.Attrs.Int("causal") != 0,
		D: c.In[0].Shape[1] / heads,
	}
	a.queries = max(1, max(leastLanes, min(mostLanes, queryElements/a.D))/a.group)
	a.keys = max(leastKeys, min(mostKeys, keyElements/a.D))
	return a
}

func (r *routines) bindAttention(c *kernel.Call) (kernel.Runner, error) {
	a := r.newAttention(c)
	a.makeBlocks()
	return a, nil
}

// makeBlocks makes room for as many blocks as the bounds allow.
func (a *attention) makeBlocks() {
	N, S := a.call.In[0].Shape[0], a.call.In[3].Shape[0]
	a.blocks = make([]queryBlock, 0, N/a.queries+min(S, N))
}

func (r *routines) scratchAttention(c *kernel.Call) int {
	var counter arena
	r.newAttention(c).layOut(&counter)
	return counter.bytes()
}

func (a *attention) layOut(scratch *arena) {
	var counter arena
	a.newSpace(&counter)
	a.spaces = scratch.takePerWorker(counter.used, a.call.Pool.Workers())
}

func (a *attention) Run() error {
	scratch := newArena(a.call.Scratch)
	a.layOut(&scratch)
	a.run(a)
	return nil
}

// run computes the tiles of all copies.
func (a *attention) run(task platform.Task) {
	a.cut()
	a.call.Pool.Run(task, a.call.Out[0].Width*len(a.blocks)*a.kvHeads)
}

// cut finds the blocks of queries.
func (a *attention) cut() {
	a.blocks = a.blocks[:0]
	offsets := a.call.In[3].I32()
	for s := 1; s < len(offsets); s++ {
		s0, s1 := int(offsets[s-1]), int(offsets[s])
		for q0 := s0; q0 < s1; q0 += a.queries {
			a.blocks = append(a.blocks, queryBlock{s0, s1, q0, min(q0+a.queries, s1)})
		}
	}
}

// Tile computes the heads of one key head for one block of queries of one copy.
func (a *attention) Tile(worker, tile int) {
	part := a.spaces.of(worker)
	t := a.tile(tile, &part)
	t.loadQueries()
	keys := t.keysSeen()
	for k0 := 0; k0 < keys; k0 += a.keys {
		t.loadKeys(k0, min(a.keys, keys-k0))
		for panel := range t.panels() {
			t.attend(panel)
		}
	}
	t.store()
}

// tile begins a tile with the worker's part.
func (a *attention) tile(tile int, part *arena) attentionTile {
	t := attentionTile{
		attention: a, queryBlock: a.blocks[tile/a.kvHeads%len(a.blocks)],
		p: tile / a.kvHeads / len(a.blocks), head: tile % a.kvHeads,
	}
	t.lanes = (t.q1 - t.q0) * a.group
	t.space = a.newSpace(part)
	return t
}

// attentionSpace is what one worker needs.
type attentionSpace struct {
	k, v   []float32 // a block of keys and values: [keys, D]
	q, o   []float32 // panels of queries and of sums: [panels][D][16]
	rows   []float32 // a panel of q or o, row by row: [16, D]
	more   []float32 // what a block of keys adds to a panel of o
	scores []float32 // of one panel: [keys][16]
	most   []float32 // the largest score of each lane: [panels][16]
	sum    []float32 // Σ exp(score − most): [panels][16]
	shift  []float32 // of each lane, what is taken from scores
	factor []float32 // of each lane, what sums so far are multiplied with
}

func (a *attention) newSpace(from *arena) attentionSpace {
	panels := ceilDiv(a.queries*a.group, panelLanes)
	panel := a.panelElements()
	return attentionSpace{
		k: from.take(a.keys * a.D), v: from.take(a.keys * a.D),
		q: from.take(panels*panel + packSlack), o: from.take(panels * panel),
		rows:   from.take(panelLanes*a.D + packSlack),
		more:   from.take(panel),
		scores: from.take((a.keys + stridedSlack) * panelLanes),
		most:   from.take(panels * panelLanes), sum: from.take(panels * panelLanes),
		shift: from.take(panelLanes), factor: from.take(panelLanes),
	}
}

// panelElements is the size of a panel of q or o.
func (a *attention) panelElements() int { return (a.D + stridedSlack) * panelLanes }

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
