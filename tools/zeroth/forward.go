package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// forwarder runs a program's "forward" on one sequence.
type forwarder struct {
	session *executor.Session
	method  *executor.Method
	vocab   int
}

// newForwarder binds "forward" for sequences of at most tokens and rows of
// logits, with an adapter or without.
func newForwarder(p *program.Program, adapterFolder string, e engine, tokens, rows int) (*forwarder, error) {
	linked, err := adapt(p, adapterFolder)
	if err != nil {
		return nil, err
	}
	f := &forwarder{}
	if f.vocab, err = metaInt(p, "vocab_size"); err != nil {
		return nil, err
	}
	bounds := op.Extents{Width: 1, N: tokens, S: 1, R: rows, Q: 1}
	if f.session, err = e.session(linked, bounds, false, "forward"); err != nil {
		return nil, err
	}
	if f.method, err = f.session.Method("forward"); err == nil {
		err = f.checkLogits(bounds)
	}
	if err == nil && adapterFolder != "" {
		err = f.setAdapter(adapterFolder)
	}
	if err != nil {
		f.session.Close()
		return nil, err
	}
	return f, nil
}

// checkLogits wants "forward" to give a row of logits, one for each id of the
// vocabulary, for each row asked for: a program may hold any sound method.
func (f *forwarder) checkLogits(bounds op.Extents) error {
	logits, err := f.method.Output("logits")
	if err != nil {
		return err
	}
	t := logits.Type
	if t.DType != op.F32 || len(t.Shape) != 2 || t.Shape[0] != op.S(op.LossRows, 0) || bounds.Of(t.Shape[1]) != f.vocab || f.vocab < 1 {
		return fmt.Errorf("the program's logits are %s, not f32 [R %d]", t, f.vocab)
	}
	return nil
}

func (f *forwarder) setAdapter(folder string) error {
	return loadAdapter(train.SlotsOf(f.session), folder)
}

// logits gives the logits [len(rows), V] of the chosen positions of ids.
func (f *forwarder) logits(ctx context.Context, ids, rows []int32) ([]float32, error) {
	if err := f.method.Resize(op.Extents{Width: 1, N: len(ids), S: 1, R: len(rows)}); err != nil {
		return nil, err
	}
	positions := make([]int32, len(ids))
	for i := range positions {
		positions[i] = int32(i)
	}
	for _, in := range []struct {
		name   string
		values []int32
	}{
		{"tokens", ids}, {"positions", positions}, {"offsets", []int32{0, int32(len(ids))}}, {"rows", rows},
	} {
		t, err := f.method.Input(in.name)
		if err != nil {
			return nil, err
		}
		copy(t.I32(), in.values)
	}
	if err := f.method.Run(ctx); err != nil {
		return nil, err
	}
	out, err := f.method.Output("logits")
	if err != nil {
		return nil, err
	}
	return out.Copy(0), nil
}

// parseIDs reads token ids such as "1,403,407".
func parseIDs(text string, vocab int) ([]int32, error) {
	var ids []int32
	for _, part := range strings.Split(text, ",") {
		id, err := strconv.ParseInt(strings.TrimSpace(part), 10, 32)
		if err != nil || id < 0 || int(id) >= vocab {
			return nil, usagef("--ids: %q is not a token id: the program has ids 0 to %d", part, vocab-1)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}

// checkContext refuses a sequence that the program has no positions for.
func checkContext(p *program.Program, tokens int) error {
	context, err := metaInt(p, "context")
	if err != nil {
		return err
	}
	if tokens > context {
		return fmt.Errorf("%d tokens are more than the program's context of %d", tokens, context)
	}
	return nil
}
