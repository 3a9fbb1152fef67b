package model

import (
	"encoding/binary"
	"io"
	"math"
	"runtime"
	"sync"

	"zeroth/runtime/op"
)

// readRows fills dst with rows of a tensor from row first on, as many as dst
// holds; the rows of a vector are its elements. Several goroutines call it.
type readRows func(first int, dst []float32) error

// blockElements bounds the elements of the block that a worker reads at a time,
// but for a block of 16 longer rows.
const blockElements = 1 << 18

// stream writes tensors in blocks of rows. All workers together pack one round
// of blocks, one each, while the round before is written: memory does not grow
// with a tensor, only with its rows. The buffers serve all tensors of a model.
type stream struct {
	workers []worker
	packing sync.WaitGroup
}

// worker packs a block of each round. It holds those of two, the one that is
// packed and the one that is written.
type worker struct {
	rows   []float32
	packed [2][]byte
	err    error
}

// write writes a constant of type t whose rows read gives.
func (s *stream) write(w io.Writer, t op.Type, read readRows) error {
	if s.workers == nil {
		s.workers = make([]worker, runtime.GOMAXPROCS(0))
	}
	p := packing{t: t, read: read, rows: t.Shape[0].Offset, rowLength: 1}
	if len(t.Shape) > 1 {
		p.rowLength = t.Shape[1].Offset
	}
	p.blockRows = max(1, blockElements/p.rowLength/op.PanelRows) * op.PanelRows
	roundRows := p.blockRows * len(s.workers)
	defer s.packing.Wait()
	s.begin(&p, 0)
	for round := 0; round*roundRows < p.rows; round++ {
		s.packing.Wait()
		for i := range s.workers {
			if err := s.workers[i].err; err != nil {
				return err
			}
		}
		s.begin(&p, round+1)
		for i := range s.workers {
			if _, err := w.Write(s.workers[i].packed[round%2]); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin starts packing a round. Blocks past the last row become empty.
func (s *stream) begin(p *packing, round int) {
	for i := range s.workers {
		w := &s.workers[i]
		first := (round*len(s.workers) + i) * p.blockRows
		w.packed[round%2], w.err = w.packed[round%2][:0], nil
		if first < p.rows {
			s.packing.Go(func() { w.err = p.pack(w, round%2, first) })
		}
	}
}

// packing is how one tensor is written.
type packing struct {
	t               op.Type
	read            readRows
	rows, rowLength int
	blockRows       int
}

// pack reads rows from first on and packs them.
func (p *packing) pack(w *worker, side, first int) error {
	count := min(p.blockRows, p.rows-first)
	if need := count * p.rowLength; cap(w.rows) < need {
		w.rows = make([]float32, need)
	}
	rows := w.rows[:count*p.rowLength]
	if err := p.read(first, rows); err != nil {
		return err
	}
	packedRows := count
	if p.t.Layout == op.Panels16 {
		packedRows = (count + op.PanelRows - 1) / op.PanelRows * op.PanelRows
	}
	if size := packedRows * p.rowLength * 4; cap(w.packed[side]) < size {
		w.packed[side] = make([]byte, size)
	}
	out := w.packed[side][:packedRows*p.rowLength*4]
	w.packed[side] = out
	if p.t.Layout == op.Panels16 {
		clear(out)
		packPanels(out, rows, count, p.rowLength)
		return nil
	}
	for i, v := range rows {
		binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(v))
	}
	return nil
}

// packPanels brings w [M, K], row-major, into the Panels16 layout.
func packPanels(dst []byte, w []float32, m, k int) {
	for row := range m {
		panel := dst[row/op.PanelRows*op.PanelRows*k*4:]
		for column, v := range w[row*k : (row+1)*k] {
			binary.LittleEndian.PutUint32(panel[(column*op.PanelRows+row%op.PanelRows)*4:], math.Float32bits(v))
		}
	}
}
