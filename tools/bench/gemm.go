package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"zeroth/kernels/cpu"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// Shape is a product's: rows of x, columns K of x, outputs.
type Shape struct {
	Rows    int `json:"rows"`
	K       int `json:"k"`
	Outputs int `json:"outputs"`
}

func (s Shape) String() string { return fmt.Sprintf("%d×%d×%d", s.Rows, s.K, s.Outputs) }

// GEMMShapes are the products of TinyLlama's layers, and two of small models,
// for 2048 rows.
func GEMMShapes() []Shape {
	return []Shape{{2048, 2048, 2048}, {2048, 2048, 5632}, {2048, 5632, 2048}, {2048, 64, 172}, {2048, 288, 768}}
}

// GEMMOptions say which products are timed, on what, and for how long.
type GEMMOptions struct {
	Shapes  []Shape
	Weights []op.DType
	// Features are the instruction sets whose kernels are timed, each with the
	// kernel that it would pick.
	Features []cpu.Features
	Workers  Workers
	Budget   time.Duration // for each product
	BLAS     *BLAS         // to compare f32 with; may be nil
	Progress func(done, total int, what string)
}

// GEMM is what came of one product with one kernel.
type GEMM struct {
	Shape
	Weights   string  `json:"weights"`
	Kernel    string  `json:"kernel"`
	Seconds   float64 `json:"seconds"`        // median of a run
	OpsPerS   float64 `json:"ops_per_second"` // a multiply-add is two
	Ceiling   Ceiling `json:"ceiling"`        // measured in turn with the kernel
	OfCeiling float64 `json:"of_ceiling"`     // median over the rounds
	// OfCeilingCPU is the same by the time that processors spent, which other
	// programs disturb less; 0 where the system does not tell it.
	OfCeilingCPU float64 `json:"of_ceiling_processor_time"`
	// AtBest is that by the best turn of the kernel and the best of the ceiling. It and
	// what follows are by processor time where the system tells it.
	AtBest float64 `json:"of_ceiling_at_best"`
	// MicroKernel is the kernel's innermost loop alone, on hot data.
	MicroKernel MicroKernel `json:"micro_kernel"`
	// OfI8 is the share of the ceiling of i8, for types of 4 bits whose own is
	// another or the same; 0 for others.
	OfI8 float64 `json:"of_i8_ceiling,omitempty"`
	// BLASOpsPerS is what the library's sgemm did in the same rounds, on f32
	// weights of the same values whatever the kernel's are; 0 without one.
	BLASOpsPerS float64 `json:"blas_ops_per_second,omitempty"`
	OfBLAS      float64 `json:"of_blas,omitempty"`
}

// MicroKernel is what cpu.HotTile reaches in the same rounds. Where it falls short of
// the ceiling, so must the product: a neighbour on a core's other thread lowers every
// loop that loads, and the ceiling's does not. What else the product lacks is that of
// packing, rounding, memory and the ends of blocks.
type MicroKernel struct {
	OpsPerS   float64 `json:"ops_per_second"`
	OfCeiling float64 `json:"of_ceiling"`
	AtBest    float64 `json:"of_ceiling_at_best"`
	Product   float64 `json:"product_of_it"` // the product's operations a second by its
}

// RunGEMM times op.Linear alone, activation quantisation included, for every
// shape, weight type and kernel.
func RunGEMM(ctx context.Context, o GEMMOptions) ([]GEMM, error) {
	pool, err := o.Workers.pool()
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	total := len(o.Shapes) * len(o.Weights) * len(o.Features)
	var results []GEMM
	done := 0
	for _, shape := range o.Shapes {
		for _, weights := range o.Weights {
			w, data, err := weightsOf(rand.New(rand.NewPCG(1, uint64(weights))), weights, shape.Outputs, shape.K)
			if err != nil {
				return nil, err
			}
			seen := make(map[string]bool)
			for _, f := range o.Features {
				c := gemmCase{shape: shape, w: w, data: data, features: f, pool: pool}
				o.Progress(done, total, fmt.Sprintf("%s %s %s", shape, weights, f))
				done++
				result, err := c.run(ctx, o, seen)
				if err != nil {
					return nil, fmt.Errorf("%s, weights %s, %s: %w", shape, weights, f, err)
				}
				results = append(results, result...)
			}
		}
	}
	return results, nil
}

// gemmCase is one product with the kernel that features pick.
type gemmCase struct {
	shape    Shape
	w        op.Type
	data     []byte
	features cpu.Features
	pool     *platform.Pool
}

// run times the case, unless its kernel has been seen for the shape and weights.
func (c *gemmCase) run(ctx context.Context, o GEMMOptions, seen map[string]bool) ([]GEMM, error) {
	registry, err := kernel.NewRegistry(cpu.Kernels(c.features))
	if err != nil {
		return nil, err
	}
	l, err := newLinear(registry, c.w, c.data, c.shape.Rows, o.Workers)
	if err != nil {
		return nil, err
	}
	defer l.session.Close()
	if seen[l.kernelName()] {
		return nil, nil
	}
	seen[l.kernelName()] = true
	normal(rand.New(rand.NewPCG(2, 3)), l.x.F32())
	if err := l.check(c.w, c.data); err != nil {
		return nil, err
	}
	race, err := c.race(o.BLAS, l)
	if err != nil {
		return nil, err
	}
	turns, err := InTurn(ctx, o.Budget, race.contestants...)
	if err != nil {
		return nil, err
	}
	return []GEMM{race.result(c, turns)}, nil
}

// gemmRace is a product and what it is timed in turn with.
type gemmRace struct {
	product     *linear
	loop, hot   *spin
	contestants []Contestant // the product, the loop, the hot tile and what else there is
	i8          *spin        // nil where the loop is that of i8, or the weights no codes of 4 bits
	blas        int          // its place; 0 where there is none
}

// race makes what competes with a product.
func (c *gemmCase) race(blas *BLAS, l *linear) (*gemmRace, error) {
	weights := c.w.DType.String()
	r := &gemmRace{product: l, loop: newSpin(c.pool, loopFor(weights, c.features)), hot: newHotSpin(c.pool, c.features, c.w.DType, l.K)}
	r.contestants = []Contestant{{Name: l.kernelName(), Run: l.run}, r.loop.contestant(), r.hot.contestant()}
	if i8 := loopFor(op.I8.String(), c.features); fourBits(c.w.DType) && i8.Name != r.loop.loop.Name {
		r.i8 = newSpin(c.pool, i8)
		r.contestants = append(r.contestants, r.i8.contestant())
	}
	if blas != nil {
		reference, err := blas.contestant(l, rowsOf(c.w, c.data), c.pool.Workers(), limitFor(c.w.DType, l.K))
		if err != nil {
			return nil, err
		}
		r.blas = len(r.contestants)
		r.contestants = append(r.contestants, reference)
	}
	return r, nil
}

func fourBits(d op.DType) bool { return d == op.Q4 || d == op.NF4 }

// The places of a race's first contestants.
const (
	atProduct = iota
	atLoop
	atHot
	atI8
)

func (r *gemmRace) result(c *gemmCase, turns Turns) GEMM {
	product, loop, hot := r.product.ops(), r.loop.ops(), r.hot.ops()
	out := GEMM{
		Shape: c.shape, Weights: c.w.DType.String(), Kernel: r.product.kernelName(),
		Seconds: turns.Median(atProduct), OpsPerS: product / turns.Median(atProduct),
		Ceiling:      Ceiling{Instruction: r.loop.loop.Name, OpsPerS: loop / turns.Median(atLoop)},
		OfCeiling:    turns.Ratio(atLoop, atProduct) * product / loop,
		OfCeilingCPU: turns.ProcessorRatio(atLoop, atProduct) * product / loop,
		AtBest:       turns.BestRatio(atLoop, atProduct) * product / loop,
		MicroKernel: MicroKernel{
			OpsPerS:   hot / turns.Median(atHot),
			OfCeiling: turns.SpentRatio(atLoop, atHot) * hot / loop,
			AtBest:    turns.BestRatio(atLoop, atHot) * hot / loop,
			Product:   turns.SpentRatio(atHot, atProduct) * product / hot,
		},
	}
	switch {
	case r.i8 != nil:
		out.OfI8 = turns.SpentRatio(atI8, atProduct) * product / r.i8.ops()
	case fourBits(c.w.DType):
		out.OfI8 = turns.SpentRatio(atLoop, atProduct) * product / loop
	}
	if r.blas > 0 {
		out.BLASOpsPerS = product / turns.Median(r.blas)
		out.OfBLAS = turns.Ratio(r.blas, atProduct)
	}
	return out
}
