package cpu

import "math"

// attentionTile is one tile of attention: lane l is query q0 + l/group of head
// head·group + l%group.
type attentionTile struct {
	*attention
	queryBlock
	space   attentionSpace
	p, head int // the copy and the key head
	lanes   int

	k0, k1 int       // the present keys, counted from the sequence's first
	k, v   []float32 // they and their values, D elements every ld
	ld     int
}

func (t *attentionTile) panels() int { return ceilDiv(t.lanes, panelLanes) }

// keysSeen is the number of keys that the block's queries see.
func (t *attentionTile) keysSeen() int {
	if t.causal {
		return t.q1 - t.s0
	}
	return t.s1 - t.s0
}

// query is that of a lane, counted from the sequence's first.
func (t *attentionTile) query(lane int) int { return t.q0 - t.s0 + lane/t.group }

// run is a run of lanes whose rows follow each other in q and y [N, H·D]: heads
// of one query, of one panel.
func (t *attentionTile) run(lane, end int) (at, elements int) {
	at = ((t.q0+lane/t.group)*t.kvHeads*t.group + t.head*t.group + lane%t.group) * t.D
	return at, min(t.group-lane%t.group, end-lane) * t.D
}

// loadQueries puts the queries in panels, of which nothing is summed yet.
func (t *attentionTile) loadQueries() {
	t.pile(t.space.q, t.call.In[0].Copy(t.p))
	fill(t.space.most[:t.panels()*panelLanes], float32(math.Inf(-1)))
	clear(t.space.sum[:t.panels()*panelLanes])
}

// pile puts the tile's rows of q [N, H·D] in panels, zeros in the lanes of the
// last that have none.
func (t *attentionTile) pile(panels, q []float32) {
	s := &t.space
	for panel := range t.panels() {
		first, rows := panel*panelLanes, s.rows[:panelLanes*t.D]
		for lane := first; lane < min(first+panelLanes, t.lanes); {
			at, n := t.run(lane, min(first+panelLanes, t.lanes))
			copy(rows, q[at:at+n])
			rows, lane = rows[n:], lane+n/t.D
		}
		clear(rows)
		t.pack(panels[panel*t.panelElements():], s.rows, t.D, panelLanes, panelLanes, t.D)
	}
}

// fewPanels is up to how many panels the keys are read where they lie. More of
// them are worth a copy, whose rows do not compete for the same cache lines.
const fewPanels = 4

// loadKeys finds or copies n keys and their values, from k0 on.
func (t *attentionTile) loadKeys(k0, n int) {
	s, D, ld := &t.space, t.D, t.kvHeads*t.D
	t.k0, t.k1 = k0, k0+n
	from := (t.s0+k0)*ld + t.head*D
	t.k, t.v, t.ld = t.call.In[1].Copy(t.p)[from:], t.call.In[2].Copy(t.p)[from:], ld
	if t.panels() > fewPanels && ld > D {
		for i := range n {
			copy(s.k[i*D:][:D], t.k[i*ld:])
			copy(s.v[i*D:][:D], t.v[i*ld:])
		}
		t.k, t.v, t.ld = s.k, s.v, D
	}
}

// seen is how many of the present keys the queries of a panel see, any of them
// and all of them.
func (t *attentionTile) seen(panel int) (byAny, byAll int) {
	byAny, byAll = t.k1-t.k0, t.k1-t.k0
	if t.causal {
		first := panel * panelLanes
		last := min(first+panelLanes, t.lanes) - 1
		byAny, byAll = min(byAny, t.query(last)+1-t.k0), min(byAll, t.query(first)+1-t.k0)
	}
	return byAny, byAll
}

// hide puts v where a lane of the panel must not see the key.
func (t *attentionTile) hide(x []float32, panel, n, seenByAll int, v float32) {
	for k := max(seenByAll, 0); k < n; k++ { // lanes whose queries come before key k0+k
		before := (t.k0+k-t.query(0))*t.group - panel*panelLanes
		fill(x[k*panelLanes:][:min(before, panelLanes)], v)
	}
}

// attend brings a panel up to date with the present keys.
func (t *attentionTile) attend(panel int) {
	n, seenByAll := t.seen(panel)
	if n <= 0 {
		return
	}
	t.score(panel, n, seenByAll)
	t.sumUp(t.space.o[panel*t.panelElements():], t.space.scores, t.v, panel, n, seenByAll)
}

// score makes the weights of the first n present keys, and brings the largest
// scores, the sums of weights and the factor of sums so far up to date.
func (t *attentionTile) score(panel, n, seenByAll int) {
	s, first := &t.space, panel*panelLanes
	scores := s.scores[:n*panelLanes]
	t.strided(s.scores, panelLanes, t.k, t.ld, 1, n, t.D, s.q[panel*t.panelElements():], t.scale)
	t.hide(scores, panel, n, seenByAll, float32(math.Inf(-1)))
	most, sum := lanesAt(s.most, first), lanesAt(s.sum, first)
	shift, factor := lanesAt(s.shift, 0), lanesAt(s.factor, 0)
	*factor = *most
	t.columnMaximum(most, scores)
	for j, m := range most {
		shift[j] = finite(m)
	}
	if t.k0 > 0 {
		for j, before := range factor {
			factor[j] = exp32(before - shift[j])
			sum[j] *= factor[j]
		}
	}
	t.columnExpSum(scores, shift, sum)
}

// sumUp adds to a panel of sums what the present keys have, Σ weights · v, the
// sums so far being scaled by the factor of the moment.
func (t *attentionTile) sumUp(o, weights, v []float32, panel, n, seenByAll int) {
	if t.k0 == 0 {
		t.weigh(o, weights, v, n, panel*panelLanes, seenByAll)
		return
	}
	more := t.space.more[:t.D*panelLanes]
	t.weigh(t.space.more, weights, v, n, panel*panelLanes, seenByAll)
	t.columnScaleAdd(o[:len(more)], more, lanesAt(t.space.factor, 0))
}

// lanesAt views the lanes of a panel.
func lanesAt(x []float32, first int) *[panelLanes]float32 { return (*[panelLanes]float32)(x[first:]) }

// weigh makes o[d*16+j] = Σ_{k<n} weights[k*16+j] · v[k*ld+d]. What a lane must
// not see has weight 0, which a NaN or an infinity among the values survives:
// then lanes are summed one by one.
func (t *attentionTile) weigh(o, weights, v []float32, n, first, seenByAll int) {
	D, ld := t.D, t.ld
	t.strided(o, panelLanes, v, 1, ld, D, n, weights, 1)
	if seenByAll >= n || t.largest(o[:D*panelLanes]) <= math.MaxFloat32 {
		return
	}
	for j := range panelLanes {
		seen := min(n, t.query(first+j)+1-t.k0)
		for d := range D {
			sum := float32(0)
			for k := range seen {
				sum += float32(weights[k*panelLanes+j] * v[k*ld+d])
			}
			o[d*panelLanes+j] = sum
		}
	}
}

// store divides the sums of values by those of weights and writes them.
func (t *attentionTile) store() {
	s, y := &t.space, t.call.Out[0].Copy(t.p)
	zeros, inverse := s.more[:t.D*panelLanes], lanesAt(s.factor, 0)
	clear(zeros)
	for panel := range t.panels() {
		first, o := panel*panelLanes, s.o[panel*t.panelElements():][:t.panelElements()]
		for j, sum := range lanesAt(s.sum, first) {
			inverse[j] = 1 / sum
		}
		t.columnScaleAdd(o[:len(zeros)], zeros, inverse)
		t.pack(s.rows, o, panelLanes, t.D, t.D, panelLanes)
		rows := s.rows
		for lane := first; lane < min(first+panelLanes, t.lanes); {
			at, n := t.run(lane, min(first+panelLanes, t.lanes))
			copy(y[at:at+n], rows)
			rows, lane = rows[n:], lane+n/t.D
		}
	}
}
