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

	k0, k1    int  // the present keys, counted from the sequence's first
	notFinite bool // one of their values is NaN or infinite
}

func (t *attentionTile) panels() int { return ceilDiv(t.lanes, panelLanes) }

// query is that of a lane, counted from the sequence's first.
func (t *attentionTile) query(lane int) int { return t.q0 - t.s0 + lane/t.group }

// row is where in q or y [N, H·D] a lane's row lies.
func (t *attentionTile) row(lane int) int {
	return ((t.q0+lane/t.group)*t.kvHeads*t.group + t.head*t.group + lane%t.group) * t.D
}

// loadQueries puts the queries in panels, zeros in the lanes of the last that
// have none.
func (t *attentionTile) loadQueries() {
	s, q := &t.space, t.call.In[0].Copy(t.p)
	for panel := range t.panels() {
		for j := range panelLanes {
			to, lane := s.rows[j*t.D:][:t.D], panel*panelLanes+j
			if lane >= t.lanes {
				clear(to)
				continue
			}
			copy(to, q[t.row(lane):])
		}
		t.pack(s.q[panel*t.panelElements():], s.rows, t.D, panelLanes, panelLanes, t.D)
	}
	fill(s.most, float32(math.Inf(-1)))
	clear(s.sum)
	fill(s.ones, 1)
}

// loadKeys copies n keys and their values, from k0 on.
func (t *attentionTile) loadKeys(k0, n int) {
	s, D, ld := &t.space, t.D, t.kvHeads*t.D
	t.k0, t.k1 = k0, k0+n
	from := (t.s0+k0)*ld + t.head*D
	k, v := t.call.In[1].Copy(t.p)[from:], t.call.In[2].Copy(t.p)[from:]
	for i := range n {
		copy(s.k[i*D:][:D], k[i*ld:])
		copy(s.v[i*D:][:D], v[i*ld:])
	}
	t.notFinite = false
	if t.causal && t.k1 > t.query(0)+1 {
		t.notFinite = !(t.largest(s.v[:n*D]) <= math.MaxFloat32)
	}
}

// attend brings a panel up to date with the present keys.
func (t *attentionTile) attend(panel int) {
	s, first := &t.space, panel*panelLanes
	n, seenByAll := t.k1-t.k0, t.k1-t.k0
	if t.causal {
		last := min(first+panelLanes, t.lanes) - 1
		n, seenByAll = min(n, t.query(last)+1-t.k0), min(n, t.query(first)+1-t.k0)
	}
	if n <= 0 {
		return
	}
	scores := s.scores[:n*panelLanes]
	t.strided(s.scores, panelLanes, s.k, t.D, 1, n, t.D, s.q[panel*t.panelElements():], t.scale)
	for k := max(seenByAll, 0); k < n; k++ { // lanes whose queries come before key k0+k
		before := (t.k0+k-t.query(0))*t.group - first
		copy(scores[k*panelLanes:], hidden[:min(before, panelLanes)])
	}
	most, sum := lanesAt(s.most, first), lanesAt(s.sum, first)
	shift, factor := lanesAt(s.shift, 0), lanesAt(s.factor, 0)
	*factor = *most
	t.columnMaximum(most, scores)
	for j, m := range most {
		shift[j] = finite(m)
	}
	if t.k0 == 0 {
		t.columnExpSum(scores, shift, sum)
		t.weigh(s.o[panel*t.panelElements():], scores, n, first, seenByAll)
		return
	}
	for j, before := range factor {
		factor[j] = exp32(before - shift[j])
		sum[j] *= factor[j]
	}
	t.columnExpSum(scores, shift, sum)
	t.weigh(s.more, scores, n, first, seenByAll)
	o := s.o[panel*t.panelElements():][:t.D*panelLanes]
	t.columnScaleAdd(o, s.more[:len(o)], factor)
}

// lanesAt views the lanes of a panel.
func lanesAt(x []float32, first int) *[panelLanes]float32 { return (*[panelLanes]float32)(x[first:]) }

// weigh makes o[d*16+j] = Σ_{k<n} weights[k*16+j] · v[k*D+d], without those that
// a lane must not see.
func (t *attentionTile) weigh(o, weights []float32, n, first, seenByAll int) {
	v, D := t.space.v, t.D
	if !t.notFinite || seenByAll >= n {
		t.strided(o, panelLanes, v, 1, D, D, n, weights, 1)
		return
	}
	for j := range panelLanes {
		seen := min(n, t.query(first+j)+1-t.k0)
		for d := range D {
			sum := float32(0)
			for k := range seen {
				sum += weights[k*panelLanes+j] * v[k*D+d]
			}
			o[d*panelLanes+j] = sum
		}
	}
}

// store divides the sums of values by those of weights and writes them.
func (t *attentionTile) store() {
	s, y := &t.space, t.call.Out[0].Copy(t.p)
	for panel := range t.panels() {
		o := s.o[panel*t.panelElements():][:t.panelElements()]
		t.pack(s.rows, o, panelLanes, t.D, t.D, panelLanes)
		for lane := panel * panelLanes; lane < min((panel+1)*panelLanes, t.lanes); lane++ {
			t.scaleBy(y[t.row(lane):][:t.D], s.rows[lane%panelLanes*t.D:], s.ones, 1/s.sum[lane])
		}
	}
}
