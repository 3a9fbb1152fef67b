package train

import "math"

// muon moves against the mean made orthogonal (ZO-Muon, arXiv 2602.17155): with
// the singular values of B's mean estimate X [M, r] all made 1, X (XᵀX)^(−1/2),
// times √M, so that elements are of size 1. The paper's directions of low rank
// are B itself here; its Newton–Schulz iteration runs on the Gram matrix XᵀX,
// which is r × r.
type muon struct {
	average
	sizes                    []siteSize
	gram, y, z, turned, step []float64 // [r, r]
	row                      []float64 // [r]
}

const (
	muonRounds = 24
	// muonRidge, times the mean of the Gram's diagonal, is added to it: directions
	// with less than that are not made as large as the others.
	muonRidge = 1e-6
)

func newMuon(mean average, sizes []siteSize) *muon {
	r := 0
	for _, s := range sizes {
		r = max(r, s.elements/s.rows)
	}
	m := &muon{average: mean, sizes: sizes, row: make([]float64, r)}
	for _, at := range []*[]float64{&m.gram, &m.y, &m.z, &m.turned, &m.step} {
		*at = make([]float64, r*r)
	}
	return m
}

func (m *muon) turn(site int, estimate []float32) {
	m.average.turn(site, estimate)
	M := m.sizes[site].rows
	r := len(estimate) / M
	if !m.inverseRoot(estimate, r) {
		return
	}
	size := math.Sqrt(float64(M))
	row := m.row[:r]
	for at := 0; at < len(estimate); at += r {
		x := estimate[at : at+r]
		for c := range row {
			sum := 0.0
			for k, v := range x {
				sum += float64(float64(v) * m.z[k*r+c])
			}
			row[c] = sum * size
		}
		for c, v := range row {
			x[c] = float32(v)
		}
	}
}

// inverseRoot puts (XᵀX)^(−1/2) into z, by the coupled Newton–Schulz iteration
// Y ← Y T, Z ← T Z with T = (3I − Z Y) / 2, from Y = XᵀX / trace and Z = I. It
// reports false where X is zero.
func (m *muon) inverseRoot(x []float32, r int) bool {
	trace := m.gramOf(x, r)
	if trace <= 0 || math.IsInf(trace, 0) {
		return false
	}
	y, z, turned, step := m.y[:r*r], m.z[:r*r], m.turned[:r*r], m.step[:r*r]
	for i, v := range m.gram[:r*r] {
		y[i], z[i] = v/trace, 0
	}
	for c := range r {
		z[c*r+c] = 1
	}
	for range muonRounds {
		multiply(step, z, y, r)
		for i := range step {
			step[i] *= -0.5
		}
		for c := range r {
			step[c*r+c] += 1.5
		}
		multiply(turned, y, step, r)
		copy(y, turned)
		multiply(turned, step, z, r)
		copy(z, turned)
	}
	for i := range z {
		z[i] /= math.Sqrt(trace)
	}
	return true
}

// gramOf puts XᵀX with its ridge into gram and returns its trace.
func (m *muon) gramOf(x []float32, r int) float64 {
	gram := m.gram[:r*r]
	clear(gram)
	for at := 0; at < len(x); at += r {
		row := x[at : at+r]
		for i, a := range row {
			for j, b := range row[:i+1] {
				gram[i*r+j] += float64(float64(a) * float64(b))
			}
		}
	}
	trace := 0.0
	for i := range r {
		trace += gram[i*r+i]
		for j := range i {
			gram[j*r+i] = gram[i*r+j]
		}
	}
	for c := range r {
		gram[c*r+c] += float64(trace / float64(r) * muonRidge)
	}
	return trace * (1 + muonRidge)
}

// multiply puts a b into dst, all [r, r].
func multiply(dst, a, b []float64, r int) {
	for i := range r {
		for j := range r {
			sum := 0.0
			for k := range r {
				sum += float64(a[i*r+k] * b[k*r+j])
			}
			dst[i*r+j] = sum
		}
	}
}
