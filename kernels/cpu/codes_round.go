package cpu

import (
	"math"

	"zeroth/runtime/op"
)

// roundTasks is the number of tasks that round x.
func (p *codeProduct) roundTasks() int { return ceilDiv(p.tiles, p.tilesPerTask()) }

// tilesPerTask is how many tiles of each matrix are rounded in one task.
func (p *codeProduct) tilesPerTask() int { return max(1, codeTileGroup/max(p.matrices, 1)) }

// round makes the codes of a few tiles of all matrices.
func (p *codeProduct) round(worker, task int) {
	s := p.spaceOf(worker)
	first := task * p.tilesPerTask()
	for tile := first; tile < min(first+p.tilesPerTask(), p.tiles); tile++ {
		for matrix := range p.matrices {
			p.roundTile(&s, matrix, tile)
		}
	}
}

// roundTile makes the codes of a tile of a matrix. That of the first matrix comes
// first: the others need its means.
func (p *codeProduct) roundTile(s *codeSpace, matrix, tile int) {
	MR, K := p.kernel.MR, p.w.K
	at, ld := matrix*p.tiles+tile, p.words*4
	codes := signed(s.codes)
	rows := min(MR, p.rows-tile*MR)
	for i := 0; i < rows; i += 2 {
		scales := (*[2]float32)(p.scales[at*MR+i:])
		p.roundPair(s, s.means[i/2*K:][:K], codes[i*ld:][:2*ld], matrix, (tile*MR+i)/2, scales)
	}
	p.kernel.pack(p.packed[at*p.tileBytes():][:p.tileBytes()], codes, ld, rows, p.words)
}

// roundPair makes the codes of row n of a matrix's copies, two rows of codes, and
// what they are to be multiplied with. first is that row of the first mean, which is
// made where the matrix is the first.
func (p *codeProduct) roundPair(s *codeSpace, first []float32, codes []int8, matrix, n int, scales *[2]float32) {
	even, odd := codes[:len(codes)/2], codes[len(codes)/2:]
	x := p.copyRow(2*matrix, n)
	switch {
	case p.paired(matrix):
		most := (*[2]float32)(s.most)
		if matrix == 0 {
			p.pairRows(first, s.rest, x, p.copyRow(1, n), nil, most)
			x = first
		} else {
			p.pairRows(s.row, s.rest, x, p.copyRow(2*matrix+1, n), first, most)
			x = s.row
		}
		scales[0], scales[1] = p.roundRow(even, x, most[0]), p.roundRow(odd, s.rest, most[1])
		return
	case matrix > 0:
		p.addScaled(s.row, x, first, -1)
		x = s.row
	}
	scales[0] = p.roundRow(even, x, p.largest(x))
	if p.w.shape.DType == op.BF16 {
		restBF16(s.rest, x, brains(even))
	} else {
		restCodes(s.rest, x, even, scales[0])
	}
	scales[1] = p.roundRow(odd, s.rest, p.largest(s.rest))
}

// roundRow makes the codes of a row whose greatest magnitude is most, and returns
// what they are to be multiplied with.
func (p *codeProduct) roundRow(codes []int8, x []float32, most float32) float32 {
	if p.w.shape.DType == op.BF16 {
		p.roundBF16(brains(codes)[:len(x)], x)
		clear(codes[2*len(x):])
		return 1
	}
	factor, scale := codeScale(most)
	if factor == 0 {
		clear(codes)
		return scale
	}
	p.roundCodes(codes[:len(x)], x, factor)
	clear(codes[len(x):])
	return scale
}

// copyRow is row n of a copy of x.
func (p *codeProduct) copyRow(number, n int) []float32 {
	return p.x[(number*p.N+n)*p.w.K:][:p.w.K]
}

// codeScale gives the factor that brings values of a largest magnitude to 127,
// and its inverse. What is too small for the factor is rounded to zero; what is
// not finite makes all products NaN.
func codeScale(most float32) (factor, scale float32) {
	switch {
	case !(most <= math.MaxFloat32):
		return 0, float32(math.NaN())
	case most < 1e-30:
		return 0, 0
	}
	return 127 / most, most / 127
}
