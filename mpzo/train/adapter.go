package train

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"zeroth/mpzo/adapter"
	"zeroth/runtime/executor"
	"zeroth/runtime/program"
)

// Adapter copies the model's LoRA in the form of PEFT. Rows of q and k are
// brought from llama2.c's order of rotary pairs to Hugging Face's where the
// program has the former.
func (m *Model) Adapter() (*adapter.Adapter, error) {
	p := m.session.Program()
	meta := metaReader{p: p}
	a := &adapter.Adapter{Alpha: meta.float("lora.alpha"), Layers: meta.int("layers"), Rank: meta.int("lora.rank")}
	a.Base, _ = p.Lookup("source")
	causal, _ := p.Lookup("causal")
	a.Masked = causal == "false"
	architecture, _ := p.Lookup("arch")
	a.FanInFanOut = architecture == "gpt2"
	headDim, interleaved := meta.rotary()
	if meta.err != nil {
		return nil, meta.err
	}
	for _, s := range m.sites {
		loraA, err := m.session.ReadSlot(s.A)
		if err != nil {
			return nil, err
		}
		loraB, err := m.session.ReadSlot(s.B)
		if err != nil {
			return nil, err
		}
		b := slices.Clone(loraB)
		if interleaved && rotated(s) {
			if b, err = adapter.InterleavedToHalf(b, a.Rank, headDim); err != nil {
				return nil, err
			}
		}
		a.Sites = append(a.Sites, adapterSite(s))
		a.A = append(a.A, slices.Clone(loraA))
		a.B = append(a.B, b)
	}
	return a, nil
}

// SetAdapter loads an adapter into the model's slots. Its rank and scale must
// be the program's. Sites that the adapter lacks get B = 0 and keep A.
func (m *Model) SetAdapter(a *adapter.Adapter) error {
	p := m.session.Program()
	meta := metaReader{p: p}
	rank, alpha := meta.int("lora.rank"), meta.float("lora.alpha")
	headDim, interleaved := meta.rotary()
	if meta.err != nil {
		return meta.err
	}
	if a.Rank != rank || math.Abs(a.Alpha-alpha) > 1e-6*math.Abs(alpha) {
		return fmt.Errorf("%w: it has rank %d and alpha %g, the program is linked for rank %d and alpha %g",
			ErrAdapter, a.Rank, a.Alpha, rank, alpha)
	}
	sites := make([]adapter.Site, len(m.sites))
	for i, s := range m.sites {
		sites[i] = adapterSite(s)
	}
	index, err := a.Locate(sites)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAdapter, err)
	}
	for i, s := range m.sites {
		loraB, err := m.session.WriteSlot(s.B)
		if err != nil {
			return err
		}
		if index[i] < 0 {
			clear(loraB)
			continue
		}
		loraA, err := m.session.WriteSlot(s.A)
		if err != nil {
			return err
		}
		b := a.B[index[i]]
		if interleaved && rotated(s) {
			if b, err = adapter.HalfToInterleaved(b, rank, headDim); err != nil {
				return err
			}
		}
		copy(loraA, a.A[index[i]])
		copy(loraB, b)
	}
	return nil
}

func adapterSite(s program.Site) adapter.Site {
	return adapter.Site{Module: s.Name, Out: s.Out, In: s.In}
}

// rotated reports whether the rows of a site's output are rotary pairs.
func rotated(s program.Site) bool { return s.Module == "q" || s.Module == "k" }

// metaReader reads numbers of a program's metadata and keeps the first error.
type metaReader struct {
	p   *program.Program
	err error
}

func (r *metaReader) text(key string) string {
	value, ok := r.p.Lookup(key)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%w: it has no metadata %q", ErrProgram, key)
	}
	return value
}

func (r *metaReader) int(key string) int {
	n, err := strconv.Atoi(r.text(key))
	r.keep(key, err)
	return n
}

func (r *metaReader) float(key string) float64 {
	v, err := strconv.ParseFloat(r.text(key), 64)
	r.keep(key, err)
	return v
}

func (r *metaReader) rotary() (headDim int, interleaved bool) {
	interleaved, err := strconv.ParseBool(r.text("rope.interleaved"))
	r.keep("rope.interleaved", err)
	return r.int("head_dim"), interleaved
}

func (r *metaReader) keep(key string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%w: metadata %s: %w", ErrProgram, key, err)
	}
}

// SlotsOf gives access to the LoRA slots of a session that need not have the
// methods for training: its Adapter and SetAdapter work, nothing else.
func SlotsOf(s *executor.Session) *Model {
	m := &Model{session: s}
	m.findSites()
	return m
}
