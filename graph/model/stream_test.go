package model

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// numbered gives element i of a tensor the value i.
func numbered(rowLength int) readRows {
	return func(first int, dst []float32) error {
		for i := range dst {
			dst[i] = float32(first*rowLength + i)
		}
		return nil
	}
}

// Every element lies where its layout says, whatever the blocks: one and several,
// rounds of them, panels that are not full.
func TestStreamLaysOutBlocks(t *testing.T) {
	const long = blockElements / 16 // 16 rows of this length are a block
	for _, c := range []struct{ rows, rowLength int }{
		{1, 0}, {5, 0}, {1, 1}, {15, 3}, {16, 3}, {17, 3}, {33, long}, {7 * 16, long}, {101, long + 1}, {600, 1000}, {20, 3 * long},
	} {
		for _, layout := range []op.Layout{op.Rows, op.Panels16} {
			m, k := c.rows, c.rowLength
			typ := op.Type{DType: op.F32, Layout: layout, Shape: []op.Dim{op.C(m), op.C(k)}}
			if k == 0 { // a vector
				if layout == op.Panels16 {
					continue
				}
				typ.Shape, k = typ.Shape[:1], 1
			}
			size, err := typ.Bytes(op.Extents{})
			if err != nil {
				t.Fatal(err)
			}
			var s stream
			var out bytes.Buffer
			if _, err := s.write(&out, typ, numbered(k)); err != nil {
				t.Fatal(err)
			}
			if out.Len() != size {
				t.Fatalf("%s: %d bytes, want %d", typ, out.Len(), size)
			}
			want := make([]float32, size/4)
			for i := range m * k {
				place := i
				if layout == op.Panels16 {
					place = i/k/16*16*k + i%k*16 + i/k%16
				}
				want[place] = float32(i)
			}
			for i, v := range want {
				if got := math.Float32frombits(binary.LittleEndian.Uint32(out.Bytes()[4*i:])); got != v {
					t.Fatalf("%s: word %d is %g, want %g", typ, i, got, v)
				}
			}
		}
	}
}

// Packed types are what quant makes of the whole matrix, scales behind the words.
func TestStreamPacksAsQuant(t *testing.T) {
	wave := func(k int) readRows {
		return func(first int, dst []float32) error {
			for i := range dst {
				dst[i] = float32(math.Sin(float64(first*k + i)))
			}
			return nil
		}
	}
	for _, dtype := range op.WeightTypes() {
		for _, c := range []struct{ m, k int }{{1, 1}, {17, 70}, {200, blockElements / 50}} {
			typ := op.Type{DType: dtype, Layout: op.Panels16, Shape: []op.Dim{op.C(c.m), op.C(c.k)}}
			panels := typ.Panels()
			whole := make([]float32, c.m*c.k)
			if err := wave(c.k)(0, whole); err != nil {
				t.Fatal(err)
			}
			want := make([]byte, panels.Bytes)
			for i := range panels.Count {
				rows := min(16, c.m-16*i)
				if err := quant.PanelOf(want, &panels, i).Encode(&panels, whole[16*i*c.k:], rows); err != nil {
					t.Fatal(err)
				}
			}
			var s stream
			var out bytes.Buffer
			if _, err := s.write(&out, typ, wave(c.k)); err != nil || !bytes.Equal(out.Bytes(), want) {
				t.Errorf("%s: %d bytes differ from the %d of quant, error %v", typ, out.Len(), len(want), err)
			}
		}
	}
}

// A stream that failed writes the next tensor as if nothing had been.
func TestStreamFails(t *testing.T) {
	typ := op.Type{DType: op.F32, Layout: op.Panels16, Shape: []op.Dim{op.C(100), op.C(blockElements / 16)}}
	gone := errors.New("gone")
	var s stream
	for _, bad := range []int{0, 16, 80} {
		_, err := s.write(io.Discard, typ, func(first int, _ []float32) error {
			if first == bad {
				return gone
			}
			return nil
		})
		if !errors.Is(err, gone) {
			t.Errorf("reading row %d fails: %v", bad, err)
		}
		if _, err := s.write(&failing{left: bad}, typ, numbered(blockElements/16)); !errors.Is(err, errFull) {
			t.Errorf("writing fails: %v", err)
		}
		var after, want bytes.Buffer
		_, err = s.write(&after, typ, numbered(9))
		_, fresh := new(stream).write(&want, typ, numbered(9))
		if err := errors.Join(err, fresh); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(after.Bytes(), want.Bytes()) {
			t.Error("a failed stream writes other bytes")
		}
	}
}

// A weight that is no number is refused as any type and by its place.
func TestStreamRefusesWhatIsNotFinite(t *testing.T) {
	const rows, columns, bad = 40, 70, 33*70 + 9
	for _, typ := range []op.Type{
		{DType: op.F32},
		{DType: op.F32, Layout: op.Panels16},
		{DType: op.BF16, Layout: op.Panels16},
		{DType: op.I8, Layout: op.Panels16},
		{DType: op.NF4, Layout: op.Panels16},
	} {
		typ.Shape = []op.Dim{op.C(rows), op.C(columns)}
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			_, err := new(stream).write(io.Discard, typ, func(first int, dst []float32) error {
				clear(dst)
				if i := bad - first*columns; i >= 0 && i < len(dst) {
					dst[i] = float32(v)
				}
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), "row 33, column 9") {
				t.Errorf("%s: %v: %v", typ, v, err)
			}
		}
	}
}

var errFull = errors.New("full")

// failing takes a number of pieces.
type failing struct{ left int }

func (f *failing) Write(b []byte) (int, error) {
	f.left -= 16
	if f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// What is allocated does not grow with the tensor: 512 MiB pass through blocks of
// 1 MiB, three a worker.
func TestStreamMemory(t *testing.T) {
	const k = 8192
	typ := op.Type{DType: op.F32, Layout: op.Panels16, Shape: []op.Dim{op.C(16384), op.C(k)}}
	zeros := func(int, []float32) error { return nil }
	var s stream
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := s.write(io.Discard, typ, zeros); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used, most := after.TotalAlloc-before.TotalAlloc, uint64(runtime.GOMAXPROCS(0)*3+1)<<20; used > most {
		t.Errorf("%d bytes were allocated, want at most %d", used, most)
	}
}
