package train

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"zeroth/mpzo/data"
	"zeroth/mpzo/prefix"
	"zeroth/runtime/executor"
	"zeroth/runtime/op"
)

// frozen is the part of a program below all that is trained: the method
// "prefix", whose outputs are the inputs boundary.0, boundary.1, … of "losses".
// It runs for one sequence at a time, so that what it gives depends on that
// sequence alone, and its values are always rounded as a cache has them.
type frozen struct {
	method *executor.Method
	names  []string // of the values at the boundary
	codec  prefix.Codec
	cache  *prefix.Cache // nil: nothing is kept

	filled  *executor.Method // whose inputs hold values
	keys    []prefix.Key     // of the sequences that they are of
	next    []prefix.Key
	text    []byte // a sequence's tokens as bytes
	payload []byte
	values  [][]float32 // of one sequence, at their place in the inputs
	made    [][]float32 // what the method gave
}

// findFrozen binds the method "prefix", if the losses need one.
func (m *Model) findFrozen() error {
	if !m.losses.Has("boundary.0") {
		return nil
	}
	f := &frozen{}
	var err error
	if f.method, err = m.session.Method("prefix"); err != nil {
		return fmt.Errorf("%w: %w", ErrProgram, err)
	}
	for i := 0; m.losses.Has(boundary(i)); i++ {
		in, err := m.losses.Input(boundary(i))
		if err != nil {
			return err
		}
		out, err := f.method.Output(boundary(i))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProgram, err)
		}
		t := in.Type
		if !t.Equal(out.Type) || t.DType != op.F32 || t.Wide || len(t.Shape) != 2 || t.Shape[0] != op.S(op.Tokens, 0) || t.Shape[1].Sym != op.Const {
			return fmt.Errorf("%w: %s is %s above and %s below, want rows of tokens", ErrProgram, boundary(i), t, out.Type)
		}
		f.names = append(f.names, boundary(i))
		f.codec.Columns = append(f.codec.Columns, t.Shape[1].Offset)
	}
	f.values, f.made = make([][]float32, len(f.names)), make([][]float32, len(f.names))
	m.frozen = f
	return nil
}

func boundary(i int) string { return fmt.Sprintf("boundary.%d", i) }

// FrozenColumns are the columns of the values that "losses" takes from the method
// "prefix"; none where it begins with the tokens.
func (m *Model) FrozenColumns() []int {
	if m.frozen == nil {
		return nil
	}
	return m.frozen.codec.Columns
}

// UseCache has what the method "prefix" gives kept in a cache, which stays the
// caller's. Its codec must be of FrozenColumns.
func (m *Model) UseCache(c *prefix.Cache) { m.frozen.cache = c }

// fill gives a method, "losses" or "slopes", the values of a batch's sequences. What it holds already
// stays: an estimator that goes over a batch several times finds it there.
func (f *frozen) fill(ctx context.Context, to *executor.Method, b *data.Batch) error {
	f.next = f.next[:0]
	for s := range len(b.SeqOffsets) - 1 {
		f.next = append(f.next, f.key(b.Tokens[b.SeqOffsets[s]:b.SeqOffsets[s+1]]))
	}
	if f.filled == to && slices.Equal(f.next, f.keys) {
		return nil
	}
	f.keys, f.filled = f.keys[:0], to
	for s, key := range f.next {
		if err := f.sequence(ctx, to, b, s, key); err != nil {
			f.keys = f.keys[:0]
			return err
		}
	}
	f.keys = append(f.keys, f.next...)
	return nil
}

// key names a sequence by its tokens; their positions count from 0 in each.
func (f *frozen) key(tokens []int32) prefix.Key {
	f.text = f.text[:0]
	for _, id := range tokens {
		f.text = binary.LittleEndian.AppendUint32(f.text, uint32(id))
	}
	return sha256.Sum256(f.text)
}

// sequence gives a method the values of sequence s.
func (f *frozen) sequence(ctx context.Context, method *executor.Method, b *data.Batch, s int, key prefix.Key) error {
	from, to := int(b.SeqOffsets[s]), int(b.SeqOffsets[s+1])
	for i, name := range f.names {
		in, err := method.Input(name)
		if err != nil {
			return err
		}
		columns := f.codec.Columns[i]
		f.values[i] = in.F32()[from*columns : to*columns]
	}
	if f.cache != nil && f.cache.Load(key, to-from, f.values) {
		return nil
	}
	if err := f.run(ctx, b, s); err != nil {
		return err
	}
	for i, name := range f.names {
		out, err := f.method.Output(name)
		if err != nil {
			return err
		}
		f.made[i] = out.Copy(0)
	}
	f.payload = f.codec.Append(f.payload[:0], to-from, f.made)
	if err := f.codec.Decode(f.payload, to-from, f.values); err != nil {
		return err
	}
	if f.cache != nil {
		f.cache.Store(key, to-from, f.payload)
	}
	return nil
}

// run runs the method "prefix" for sequence s of the batch.
func (f *frozen) run(ctx context.Context, b *data.Batch, s int) error {
	from, to := b.SeqOffsets[s], b.SeqOffsets[s+1]
	if err := f.method.Resize(op.Extents{Width: 1, N: int(to - from), S: 1}); err != nil {
		return err
	}
	in := feeder{method: f.method}
	whole := [2]int32{0, to - from}
	in.sequences(b.Tokens[from:to], b.Positions[from:to], whole[:])
	if in.err != nil {
		return in.err
	}
	return f.method.Run(ctx)
}
