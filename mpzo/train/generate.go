package train

import (
	"context"
	"fmt"

	"zeroth/mpzo/data"
	"zeroth/runtime/executor"
	"zeroth/runtime/op"
)

// Generator writes answers: at each token all of the text goes forward again,
// several answers together, and the likeliest token is taken. It has a session of
// its own, in which one copy of the model gives logits, so that none of the
// training session's memory is laid out for them.
type Generator struct {
	session *executor.Session
	forward *executor.Method
	slots   *Model
	vocab   int
	batch   data.Batch
}

// GeneratorBounds are the sizes that a Generator's session needs for answers to
// the sets, batch of them at a time. They are zero where nothing is generated.
func GeneratorBounds(batch int, sets ...*data.Set) op.Extents {
	longest := 0
	for _, set := range sets {
		if set == nil || set.NewTokens == 0 {
			continue
		}
		for i := range set.Examples {
			longest = max(longest, set.Examples[i].Prefix+set.NewTokens)
		}
	}
	if longest == 0 {
		return op.Extents{}
	}
	return op.Extents{Width: 1, N: batch * longest, S: batch, R: batch, Q: 1}
}

// NewGenerator takes a session that has the method "forward" and no other, of
// the program that the model trains.
func NewGenerator(s *executor.Session) (*Generator, error) {
	g := &Generator{session: s, slots: SlotsOf(s)}
	var err error
	if g.forward, err = s.Method("forward"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	logits, err := g.forward.Output("logits")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	t := logits.Type
	if t.DType != op.F32 || len(t.Shape) != 2 || t.Shape[0] != op.S(op.LossRows, 0) || t.Shape[1] != op.C(t.Shape[1].Offset) || t.Shape[1].Offset < 1 {
		return nil, fmt.Errorf("%w: the logits are %s, not f32 [R V]", ErrProgram, t)
	}
	g.vocab = t.Shape[1].Offset
	return g, nil
}

// Close ends the generator's session.
func (g *Generator) Close() { g.session.Close() }

// Generate has the model's answers written by g when a set asks for that. The
// model then owns g.
func (m *Model) Generate(g *Generator) { m.generator = g }

// Answers writes an answer to each example of the set with the adapter that the
// model holds, batch of them at a time, and calls progress after each batch.
func (g *Generator) Answers(ctx context.Context, m *Model, set *data.Set, batch int, progress func(done int)) ([]string, error) {
	if err := g.slots.copySlots(m); err != nil {
		return nil, err
	}
	answers := make([]string, 0, len(set.Examples))
	for first := 0; first < len(set.Examples); first += batch {
		last := min(first+batch, len(set.Examples))
		some, err := g.write(ctx, set, set.Examples[first:last])
		if err != nil {
			return nil, err
		}
		answers = append(answers, some...)
		progress(last)
	}
	return answers, nil
}

// write answers some examples together.
func (g *Generator) write(ctx context.Context, set *data.Set, examples []data.Example) ([]string, error) {
	answers := make([]string, len(examples))
	ids := make([][]int32, len(examples)) // prompt and what is written so far
	open := make([]int, 0, len(examples))
	for i := range examples {
		prompt := examples[i].Candidates[examples[i].Gold][:examples[i].Prefix]
		ids[i] = append(make([]int32, 0, len(prompt)+set.NewTokens), prompt...)
		open = append(open, i)
	}
	for range set.NewTokens {
		next, err := g.next(ctx, ids, open)
		if err != nil {
			return nil, err
		}
		still := open[:0]
		for k, i := range open {
			ids[i] = append(ids[i], next[k])
			text, ended := set.Answer(ids[i][examples[i].Prefix:])
			if answers[i] = text; !ended {
				still = append(still, i)
			}
		}
		if open = still; len(open) == 0 {
			break
		}
	}
	return answers, nil
}

// next returns the likeliest token behind each of the open texts.
func (g *Generator) next(ctx context.Context, ids [][]int32, open []int) ([]int32, error) {
	g.batch.PackTexts(ids, open)
	b := &g.batch
	if err := g.forward.Resize(op.Extents{Width: 1, N: len(b.Tokens), S: len(open), R: len(open), Q: 1}); err != nil {
		return nil, err
	}
	f := feeder{method: g.forward}
	f.i32("tokens", b.Tokens)
	f.i32("positions", b.Positions)
	f.i32("offsets", b.SeqOffsets)
	f.i32("rows", b.Rows)
	if f.err != nil {
		return nil, f.err
	}
	if err := g.forward.Run(ctx); err != nil {
		return nil, err
	}
	output, err := g.forward.Output("logits")
	if err != nil {
		return nil, err
	}
	logits := output.Copy(0)
	out := make([]int32, len(open))
	for k := range open {
		row := logits[k*g.vocab : (k+1)*g.vocab]
		for id, logit := range row {
			if logit > row[out[k]] {
				out[k] = int32(id)
			}
		}
	}
	return out, nil
}
