package cpu

import "zeroth/runtime/kernel"

// attentionTangent computes what attention's result changes by: with a query's
// weights w and the change of its scores ds = scale · (dq kᵀ + q dkᵀ),
//
//	y = Σ_t w_t (dv_t + (ds_t − Σ_u w_u ds_u) v_t)
//
// q [N, H·D], k and v [N, HKV·D], offsets [S+1], and of the tangents dq [P, N,
// H·D], dk and dv [P, N, HKV·D] those that are given → [P, N, H·D].
//
// It goes by attention's tiles, for each copy of the tangents. Weights are made
// as there, and key block by key block three sums of them: Σ w ds, Σ w v, and
// Σ w (dv + ds v), from which Σ w v · Σ w ds is taken in the end.
type attentionTangent struct {
	attention
	tangents [3]*kernel.Tensor // dq, dk, dv; nil where not given
	ones     []float32         // [keys]
}

func (r *routines) newAttentionTangent(c *kernel.Call) *attentionTangent {
	a := &attentionTangent{attention: *r.newAttention(c)}
	there := c.In[4:]
	for i := range a.tangents {
		if c.Attrs.Int("given")>>i&1 != 0 {
			a.tangents[i], there = there[0], there[1:]
		}
	}
	return a
}

func (r *routines) bindAttentionTangent(c *kernel.Call) (kernel.Runner, error) {
	a := r.newAttentionTangent(c)
	a.makeBlocks()
	a.ones = make([]float32, a.keys)
	fill(a.ones, 1)
	return a, nil
}

func (r *routines) scratchAttentionTangent(c *kernel.Call) int {
	var counter arena
	r.newAttentionTangent(c).layOut(&counter)
	return counter.bytes()
}

func (a *attentionTangent) layOut(scratch *arena) {
	var counter arena
	a.newSpace(&counter)
	a.newTangentSpace(&counter)
	a.spaces = scratch.takePerWorker(counter.used, a.call.Pool.Workers())
}

func (a *attentionTangent) Run() error {
	scratch := newArena(a.call.Scratch)
	a.layOut(&scratch)
	a.run(a)
	return nil
}

// tangentSpace is what a worker needs beside an attentionSpace.
type tangentSpace struct {
	dk, dv  []float32 // a block of tangents of keys and values: [keys, D]
	dq, o   []float32 // panels of tangents of queries and of sums: [panels][D][16]
	changes []float32 // ds, then w ds, of one panel: [keys][16]
	further []float32 // a second summand of ds: [keys][16]
	sum     []float32 // Σ w ds: [panels][16]
	lanes   []float32 // one row of lanes
}

func (a *attentionTangent) newTangentSpace(from *arena) tangentSpace {
	panels := ceilDiv(a.queries*a.group, panelLanes)
	panel, block := a.panelElements(), (a.keys+stridedSlack)*panelLanes
	return tangentSpace{
		dk: from.take(a.keys * a.D), dv: from.take(a.keys * a.D),
		dq: from.take(panels*panel + packSlack), o: from.take(panels * panel),
		changes: from.take(block), further: from.take(block),
		sum: from.take(panels * panelLanes), lanes: from.take((1 + stridedSlack) * panelLanes),
	}
}

// tangentTile is one tile: of its attentionTile, o is Σ w v.
type tangentTile struct {
	attentionTile
	of     *attentionTangent
	more   tangentSpace
	dk, dv []float32 // of the present keys, where given: D elements every ld
}

// Tile computes the heads of one key head for one block of queries of one copy.
func (a *attentionTangent) Tile(worker, tile int) {
	part := a.spaces.of(worker)
	t := tangentTile{attentionTile: a.tile(tile, &part), of: a}
	t.more = a.newTangentSpace(&part)
	t.loadQueries()
	if dq := a.tangents[0]; dq != nil {
		t.pile(t.more.dq, dq.Copy(t.p))
	}
	keys := t.keysSeen()
	for k0 := 0; k0 < keys; k0 += a.keys {
		t.loadKeys(k0, min(a.keys, keys-k0))
		t.dk, t.dv = t.loadTangent(a.tangents[1], t.more.dk), t.loadTangent(a.tangents[2], t.more.dv)
		for panel := range t.panels() {
			t.attend(panel)
		}
	}
	for panel := range t.panels() {
		t.join(panel)
	}
	t.store()
}

// loadTangent finds the tangents of the present keys or values, or copies them
// where those were copied.
func (t *tangentTile) loadTangent(d *kernel.Tensor, room []float32) []float32 {
	if d == nil {
		return nil
	}
	ld := t.kvHeads * t.D
	from := d.Copy(t.p)[(t.s0+t.k0)*ld+t.head*t.D:]
	if t.ld == ld {
		return from
	}
	for i := range t.k1 - t.k0 {
		copy(room[i*t.D:][:t.D], from[i*ld:])
	}
	return room
}

// moves reports whether scores change.
func (t *tangentTile) moves() bool { return t.of.tangents[0] != nil || t.of.tangents[1] != nil }

// attend brings a panel up to date with the present keys.
func (t *tangentTile) attend(panel int) {
	n, seenByAll := t.seen(panel)
	if n <= 0 {
		return
	}
	at := panel * t.panelElements()
	t.score(panel, n, seenByAll)
	if !t.moves() {
		t.sumUp(t.more.o[at:], t.space.scores, t.dv, panel, n, seenByAll)
		return
	}
	t.change(panel, n, seenByAll)
	t.sumUp(t.space.o[at:], t.space.scores, t.v, panel, n, seenByAll)
	t.sumUp(t.more.o[at:], t.more.changes, t.v, panel, n, seenByAll)
	if t.dv != nil {
		more := t.space.more[:t.D*panelLanes]
		t.weigh(t.space.more, t.space.scores, t.dv, n, panel*panelLanes, seenByAll)
		t.add(t.more.o[at:][:len(more)], t.more.o[at:][:len(more)], more)
	}
}

// change makes w ds of the first n present keys and adds it up.
func (t *tangentTile) change(panel, n, seenByAll int) {
	s, at := &t.more, panel*t.panelElements()
	changes := s.changes[:n*panelLanes]
	if t.of.tangents[0] != nil {
		t.strided(s.changes, panelLanes, t.k, t.ld, 1, n, t.D, s.dq[at:], t.scale)
	}
	switch {
	case t.dk == nil:
	case t.of.tangents[0] == nil:
		t.strided(s.changes, panelLanes, t.dk, t.ld, 1, n, t.D, t.space.q[at:], t.scale)
	default:
		t.strided(s.further, panelLanes, t.dk, t.ld, 1, n, t.D, t.space.q[at:], t.scale)
		t.add(changes, changes, s.further[:len(changes)])
	}
	t.hide(changes, panel, n, seenByAll, 0)
	t.scaleBy(changes, changes, t.space.scores[:len(changes)], 1)
	t.strided(s.lanes, panelLanes, t.of.ones, n, 1, 1, n, changes, 1)
	sum := s.sum[panel*panelLanes:][:panelLanes]
	if t.k0 == 0 {
		copy(sum, s.lanes)
		return
	}
	t.columnScaleAdd(sum, s.lanes[:panelLanes], lanesAt(t.space.factor, 0))
}

// join leaves Σ w (dv + ds v) − Σ w v · Σ w ds / Σ w in o, which store divides by
// Σ w once more.
func (t *tangentTile) join(panel int) {
	at, size := panel*t.panelElements(), t.D*panelLanes
	if !t.moves() {
		copy(t.space.o[at:][:size], t.more.o[at:])
		return
	}
	factor := lanesAt(t.space.factor, 0)
	sum := lanesAt(t.space.sum, panel*panelLanes)
	for j, change := range lanesAt(t.more.sum, panel*panelLanes) {
		factor[j] = -change / sum[j]
	}
	t.columnScaleAdd(t.space.o[at:][:size], t.more.o[at:][:size], factor)
}
