package gpu

import (
	"context"
	"fmt"
)

// Peak is what a device reaches with a loop of nothing but an instruction, or with a
// plain copy.
type Peak struct {
	Name string `json:"name"`
	// PerSecond are operations, a multiply-add being two, or bytes read and written.
	PerSecond float64 `json:"per_second"`
}

// What products are computed with, as Peaks names it.
const (
	floatMultiplyAdds = "multiply-adds of f32"
	byteDots          = "dot products of bytes"
	halfMatrices      = "matrices of f16"
	byteMatrices      = "matrices of bytes"
)

// Sizes of the loops: enough work groups for any device, and rounds from the least
// on, as long as a run takes less than peakSeconds.
const (
	peakGroups  = 4096
	peakSeconds = 0.02
	leastRounds = 16
	mostRounds  = 1 << 20
	copyBytes   = 64 << 20
)

// The operations of a round, as the shaders have them.
const (
	peakChains   = 16 // multiply-adds or dot products an invocation
	peakProducts = 4  // matrices a subgroup
)

// peakLoop is a loop with its operations in a round of a work group.
type peakLoop struct {
	name      string
	kernel    Kernel
	constants []uint32
	ops       float64
}

func (a *Arithmetic) peakLoops() []peakLoop {
	list := []peakLoop{{floatMultiplyAdds, kernelPeakFloat, nil, 2 * peakChains * Threads}}
	if a.Dot {
		list = append(list, peakLoop{byteDots, kernelPeakDot, nil, 8 * peakChains * Threads})
	}
	matrices := func(name string, k Kernel, m Matrix) {
		if m != (Matrix{}) {
			constants := []uint32{0, 0, 0, 0, 0, 0, 0, uint32(m.Subgroup), uint32(m.M), uint32(m.N), uint32(m.K)}
			list = append(list, peakLoop{name, k, constants, 2 * peakProducts * float64(m.M*m.N*m.K) * float64(Threads/m.Subgroup)})
		}
	}
	matrices(halfMatrices, kernelPeakMatrix, a.Half)
	matrices(byteMatrices, kernelPeakByteMatrix, a.Bytes)
	return list
}

// Peaks measures what the device reaches with each instruction that products use,
// and last what a copy moves.
func (o *Ops) Peaks(ctx context.Context) ([]Peak, error) {
	arithmetic := o.device.Limits().Arithmetic
	var list []Peak
	for _, l := range arithmetic.peakLoops() {
		perSecond, err := o.peakOf(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		list = append(list, Peak{l.name, perSecond})
	}
	perSecond, err := o.peakCopy(ctx)
	return append(list, Peak{"copy, bytes read and written", perSecond}), err
}

func (o *Ops) peakOf(ctx context.Context, l peakLoop) (float64, error) {
	groups := min(peakGroups, o.device.Limits().WorkGroups)
	out, err := o.device.Allocate(int64(groups)*Threads*4, Local)
	if err != nil {
		return 0, err
	}
	defer out.Free()
	rounds := leastRounds
	for {
		seconds, err := o.timeStage(ctx, Stage{
			Kernel: l.kernel, Constants: l.constants, Spans: []Span{{Buffer: out, Size: out.Size()}},
			Extents: func(words []uint32) int {
				fill(words, rounds)
				return groups
			},
		})
		if err != nil || seconds >= peakSeconds || rounds >= mostRounds {
			return l.ops * float64(rounds) * float64(groups) / seconds, err
		}
		rounds *= 2
	}
}

func (o *Ops) peakCopy(ctx context.Context) (float64, error) {
	limits := o.device.Limits()
	bytes := min(copyBytes, limits.BufferBytes, limits.AllocationBytes) / 16 * 16
	var spans []Span
	for range 2 {
		b, err := o.device.Allocate(bytes, Local)
		if err != nil {
			return 0, err
		}
		defer b.Free()
		spans = append(spans, Span{Buffer: b, Size: bytes})
	}
	seconds, err := o.timeStage(ctx, Stage{Kernel: kernelPeakCopy, Spans: spans, Extents: func(words []uint32) int {
		fill(words, int(bytes/16))
		return min(ceilDiv(int(bytes/16), Threads), limits.WorkGroups)
	}})
	return 2 * float64(bytes) / seconds, err
}

// timeStage is the least time of a few runs of a stage alone, in seconds.
func (o *Ops) timeStage(ctx context.Context, s Stage) (float64, error) {
	if err := o.device.Compile(ctx, s.Kernel, s.Constants); err != nil {
		return 0, err
	}
	r, err := o.device.Record([]Stage{s})
	if err != nil {
		return 0, err
	}
	defer r.Free()
	return leastTime(ctx, r, often)
}
