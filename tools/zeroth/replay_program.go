package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"zeroth/internal/bytesize"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// The metadata of a program whose weights were trained: which program it was, by
// its fingerprint, and the steps taken since.
const (
	metaTunedFrom  = "tuned.from"
	metaTunedSteps = "tuned.steps"
)

// replayProgram writes the program with its weights as they were after so many
// steps. They are moved where they lie in memory and written from there.
func replayProgram(ctx context.Context, o replayOptions, log *journal.Log, steps uint64, stdout, stderr io.Writer) error {
	if o.Adapter != "" {
		return usagef("--adapter: the run trained the weights themselves and did not start from an adapter")
	}
	if err := checkOut(o.Out, "program file"); err != nil {
		return err
	}
	if err := refuseOverwriting(o.Out, o.Program, o.Journal); err != nil {
		return err
	}
	file, err := openWritable(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	m, err := weightModel(file.Program, &log.Header, o.Engine)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Replay(ctx, log, steps, countBar(stderr, "replaying", steps)); err != nil {
		return err
	}
	if err := m.Session().SyncSlots(); err != nil {
		return err
	}
	bar := newByteBar(stderr, "writing")
	err = program.WriteStream(o.Out, tuned(file.Program, steps), weightSource(ctx, file.Program), bar.set)
	bar.finish()
	if err != nil {
		return err
	}
	info, err := os.Stat(o.Out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: program after %d steps, %s\n", o.Out, steps, bytesize.Format(info.Size()))
	return err
}

// weightModel binds a program whose weights are all trained, for updates alone.
func weightModel(p *program.Program, h *journal.Header, e engine) (*train.Model, error) {
	if err := isProgramOf(p, h); err != nil {
		return nil, err
	}
	linked, err := trainAll(p, noise.Sampler(h.Sampler))
	if err != nil {
		return nil, err
	}
	s, err := e.session(linked, op.Extents{Width: 1, Q: h.Q}, false, train.MethodLosses, train.MethodUpdate)
	if err != nil {
		return nil, err
	}
	m, err := train.NewModel(s)
	if err == nil {
		err = sameSites(m, h)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return m, nil
}

// weightSource writes a program's weights until ctx ends.
func weightSource(ctx context.Context, p *program.Program) program.Source {
	return func(i int, w io.Writer) error {
		_, err := endingWriter{ctx, w}.Write(p.Constants[i].Data)
		return err
	}
}

// tuned is the program with metadata that says what became of it, and without
// the storage of its weights, for weightSource to give.
func tuned(p *program.Program, steps uint64) *program.Program {
	out := *p
	out.Constants = slices.Clone(p.Constants)
	for i := range out.Constants {
		if out.Constants[i].Type.DType.Weight() {
			out.Constants[i].Data = nil
		}
	}
	out.Meta = slices.DeleteFunc(slices.Clone(p.Meta), func(m program.Meta) bool {
		return m.Key == metaTunedFrom || m.Key == metaTunedSteps
	})
	out.Meta = append(out.Meta,
		program.Meta{Key: metaTunedFrom, Value: hex.EncodeToString(p.Fingerprint[:])},
		program.Meta{Key: metaTunedSteps, Value: strconv.FormatUint(steps, 10)})
	slices.SortFunc(out.Meta, func(a, b program.Meta) int { return strings.Compare(a.Key, b.Key) })
	return &out
}
