package model

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"sync"

	"zeroth/runtime/op"
	"zeroth/runtime/quant"
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
	lost   quant.Error // by the block that was packed last
	err    error
}

// write writes a constant of type t whose rows read gives: the blocks, and for
// a type that has scales those of all rows behind them, which are kept until then.
//
// It returns what the elements' type has cost the weights.
func (s *stream) write(w io.Writer, t op.Type, read readRows) (quant.Error, error) {
	if s.workers == nil {
		s.workers = make([]worker, runtime.GOMAXPROCS(0))
	}
	var lost quant.Error
	p := newPacking(t, read)
	roundRows := p.blockRows * len(s.workers)
	defer s.packing.Wait()
	s.begin(p, 0)
	for round := 0; round*roundRows < p.rows; round++ {
		s.packing.Wait()
		for i := range s.workers {
			if err := s.workers[i].err; err != nil {
				return lost, err
			}
			lost.Add(s.workers[i].lost)
		}
		s.begin(p, round+1)
		for i := range s.workers {
			if _, err := w.Write(s.workers[i].packed[round%2]); err != nil {
				return lost, err
			}
		}
	}
	if _, err := w.Write(p.scales); err != nil {
		return lost, err
	}
	_, err := w.Write(p.rowScales)
	return lost, err
}

// begin starts packing a round. Blocks past the last row become empty.
func (s *stream) begin(p *packing, round int) {
	for i := range s.workers {
		w := &s.workers[i]
		first := (round*len(s.workers) + i) * p.blockRows
		w.packed[round%2], w.err, w.lost = w.packed[round%2][:0], nil, quant.Error{}
		if first < p.rows {
			s.packing.Go(func() { w.packed[round%2], w.err = p.pack(w, w.packed[round%2], first) })
		}
	}
}

// packing is how one tensor is written.
type packing struct {
	read              readRows
	rows, rowLength   int
	blockRows         int
	panels            *op.Panels // nil for rows
	scales, rowScales []byte     // of all panels
}

func newPacking(t op.Type, read readRows) *packing {
	p := &packing{read: read, rows: t.Shape[0].Offset, rowLength: 1}
	if len(t.Shape) > 1 {
		p.rowLength = t.Shape[1].Offset
	}
	p.blockRows = max(1, blockElements/p.rowLength/op.PanelRows) * op.PanelRows
	if t.Layout == op.Panels16 {
		panels := t.Panels()
		p.panels = &panels
		p.scales = make([]byte, panels.RowScales-panels.Scales)
		p.rowScales = make([]byte, panels.Bytes-panels.RowScales)
	}
	return p
}

// pack reads a block, the rows from first on, and appends it to out as it lies in
// the file.
func (p *packing) pack(w *worker, out []byte, first int) ([]byte, error) {
	count := min(p.blockRows, p.rows-first)
	w.rows = slices.Grow(w.rows[:0], count*p.rowLength)[:count*p.rowLength]
	if err := p.read(first, w.rows); err != nil {
		return out, err
	}
	if err := p.checkFinite(first, w.rows); err != nil {
		return out, err
	}
	out = slices.Grow(out, p.packedBytes(count))
	if p.panels == nil {
		for _, v := range w.rows {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
		return out, nil
	}
	for row := 0; row < count; row += op.PanelRows {
		panel, size := int64((first+row)/op.PanelRows), int(p.panels.PanelBytes())
		out = out[:len(out)+size]
		to := quant.Panel{
			Words:     out[len(out)-size:],
			Scales:    part(p.scales, panel, p.panels.GroupScaleBytes()),
			RowScales: part(p.rowScales, panel, p.panels.RowScaleBytes()),
		}
		rows, n := w.rows[row*p.rowLength:], min(op.PanelRows, count-row)
		if err := to.Encode(p.panels, rows, n); err != nil {
			return out, fmt.Errorf("rows from %d: %w", first+row, err)
		}
		if p.panels.DType.Packed() {
			w.lost.Add(to.Lost(p.panels, rows, n))
		}
	}
	return out, nil
}

// checkFinite fails where an element of the rows from first on is no finite number:
// one is enough to make every loss NaN.
func (p *packing) checkFinite(first int, rows []float32) error {
	const exponent = 0x7f80_0000 // all of its bits are set in NaN and the infinities
	for i, v := range rows {
		if math.Float32bits(v)&exponent == exponent {
			return fmt.Errorf("row %d, column %d: the weight is %v: is the checkpoint damaged?",
				first+i/p.rowLength, i%p.rowLength, v)
		}
	}
	return nil
}

// packedBytes is what a block of count rows takes in the file.
func (p *packing) packedBytes(count int) int {
	if p.panels == nil {
		return count * p.rowLength * 4
	}
	return (count + op.PanelRows - 1) / op.PanelRows * int(p.panels.PanelBytes())
}

// part is part i of parts of each bytes.
func part(all []byte, i, each int64) []byte { return all[i*each : (i+1)*each] }
