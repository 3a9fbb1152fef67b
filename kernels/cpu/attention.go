package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// attention computes softmax(scale · q kᵀ) v within each packed sequence:
// q [w, N, H·D], k and v [w, N, HKV·D], offsets [S+1] → [w, N, H·D].
//
// A tile is one head of one copy for a block of queries of one sequence. Its
// scores, one row per query and as long as the sequence, lie in the worker's
// scratch. They are a matrix product with k packed panel by panel; the weighted
// sum of v is taken row by row, so that a causal query never touches what it
// must not see, be it NaN.
type attention struct {
	*routines
	call     *kernel.Call
	heads    int
	group    int // query heads to one key head
	scale    float32
	causal   bool
	blocks   []queryBlock // of one copy; as many as the run's sequences need
	spaces   perWorker
	D, N     int
	rowBlock int
}

// queryBlock is a run of queries [q0, q1) of the sequence of tokens [s0, s1).
type queryBlock struct{ s0, s1, q0, q1 int }

// queryRows is about the number of queries in a block.
const queryRows = 48

func (r *routines) newAttention(c *kernel.Call) *attention {
	heads, kvHeads := c.Attrs.Int("num_heads"), c.Attrs.Int("kv_num_heads")
	return &attention{
		routines: r, call: c, heads: heads, group: heads / kvHeads,
		scale: float32(c.Attrs.Float("scale")), causal: c.Attrs.Int("causal") != 0,
		D: c.In[0].Shape[1] / heads, rowBlock: queryRows / r.gemm.MR * r.gemm.MR,
	}
}

func (r *routines) bindAttention(c *kernel.Call) (kernel.Runner, error) {
	a := r.newAttention(c)
	N, S := c.In[0].Shape[0], c.In[3].Shape[0]
	a.blocks = make([]queryBlock, 0, N/a.rowBlock+min(S, N))
	return a, nil
}

func (r *routines) scratchAttention(c *kernel.Call) int {
	a := r.newAttention(c)
	var counter arena
	a.layOut(&counter)
	return counter.bytes()
}

// attentionSpace is what one worker needs.
type attentionSpace struct {
	q      []float32 // packed queries: rowBlock × D
	k      []float32 // packed keys: NR × D
	scores []float32 // rowBlock × the tokens, whole tiles
	zeros  []float32
}

func (a *attention) newSpace(from *arena) attentionSpace {
	return attentionSpace{
		q: from.take(a.rowBlock*a.D + packSlack), k: from.take(a.gemm.NR*a.D + packSlack),
		scores: from.take(a.rowBlock * roundUp(a.N, a.gemm.NR)), zeros: from.take(a.gemm.NR),
	}
}

func (a *attention) layOut(scratch *arena) {
	a.N = a.call.In[0].Shape[0]
	var counter arena
	a.newSpace(&counter)
	a.spaces = scratch.takePerWorker(counter.used, a.call.Pool.Workers())
}

func (a *attention) Run() error {
	scratch := newArena(a.call.Scratch)
	a.layOut(&scratch)
	a.blocks = a.blocks[:0]
	offsets := a.call.In[3].I32()
	for s := 1; s < len(offsets); s++ {
		s0, s1 := int(offsets[s-1]), int(offsets[s])
		for q0 := s0; q0 < s1; q0 += a.rowBlock {
			a.blocks = append(a.blocks, queryBlock{s0, s1, q0, min(q0+a.rowBlock, s1)})
		}
	}
	a.call.Pool.Run(a, a.call.Out[0].Width*len(a.blocks)*a.heads)
	return nil
}

// Tile computes one head of one block of queries of one copy.
func (a *attention) Tile(worker, tile int) {
	head := tile % a.heads
	b := a.blocks[tile/a.heads%len(a.blocks)]
	p := tile / a.heads / len(a.blocks)
	part := a.spaces.of(worker)
	s := a.newSpace(&part)
	clear(s.zeros)
	keys := b.s1 - b.s0
	if a.causal {
		keys = b.q1 - b.s0
	}
	ld := a.score(&s, p, head, b, keys)
	v := a.call.In[2]
	values, ldv := v.Copy(p), v.Shape[1]
	out, ldo := a.call.Out[0].Copy(p), a.call.Out[0].Shape[1]
	for q := b.q0; q < b.q1; q++ {
		seen := keys
		if a.causal {
			seen = q + 1 - b.s0
		}
		row := s.scores[(q-b.q0)*ld:][:seen]
		sum := a.expSum(row, a.maximum(row), a.scale)
		a.mixRows(out[q*ldo+head*a.D:][:a.D], row, values[b.s0*ldv+head/a.group*a.D:], ldv, 1/sum)
	}
}

// score fills s.scores with q kᵀ for the block's queries and the first keys of
// its sequence. It returns the length of a row of scores.
func (a *attention) score(s *attentionSpace, p, head int, b queryBlock, keys int) int {
	q, k := a.call.In[0], a.call.In[1]
	ldq, ldk := q.Shape[1], k.Shape[1]
	queries, rows := q.Copy(p)[b.q0*ldq+head*a.D:], b.q1-b.q0
	for r := 0; r < rows; r += a.gemm.MR {
		a.pack(s.q[r*a.D:], queries[r*ldq:], ldq, rows-r, a.gemm.MR, a.D)
	}
	from := k.Copy(p)[b.s0*ldk+head/a.group*a.D:]
	ld := roundUp(keys, a.gemm.NR)
	for c := 0; c < keys; c += a.gemm.NR {
		for j := 0; j < a.gemm.NR && c+j < keys; j += op.PanelRows {
			a.pack(s.k[j*a.D:], from[(c+j)*ldk:], ldk, keys-c-j, op.PanelRows, a.D)
		}
		for r := 0; r < rows; r += a.gemm.MR {
			a.gemm.fn(a.D, &s.q[r*a.D], &s.k[0], op.PanelRows*a.D, &s.zeros[0], 0, &s.scores[r*ld+c], ld)
		}
	}
	return ld
}
