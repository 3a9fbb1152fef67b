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
	// BLASOpsPerS is what the library's sgemm did in the same rounds, on f32
	// weights of the same values whatever the kernel's are; 0 without one.
	BLASOpsPerS float64 `json:"blas_ops_per_second,omitempty"`
	OfBLAS      float64 `json:"of_blas,omitempty"`
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
	weights := c.w.DType.String()
	loop := newSpin(c.pool, loopFor(weights, c.features))
	contestants := []Contestant{{Name: l.kernelName(), Run: l.run}, loop.contestant()}
	if o.BLAS != nil {
		reference, err := o.BLAS.contestant(l, rowsOf(c.w, c.data), c.pool.Workers(), limitFor(c.w.DType, l.K))
		if err != nil {
			return nil, err
		}
		contestants = append(contestants, reference)
	}
	turns, err := InTurn(ctx, o.Budget, contestants...)
	if err != nil {
		return nil, err
	}
	out := GEMM{
		Shape: c.shape, Weights: weights, Kernel: l.kernelName(),
		Seconds: turns.Median(0), OpsPerS: l.ops() / turns.Median(0),
		Ceiling:      Ceiling{Instruction: loop.loop.Name, OpsPerS: loop.ops() / turns.Median(1)},
		OfCeiling:    turns.Ratio(1, 0) * l.ops() / loop.ops(),
		OfCeilingCPU: turns.ProcessorRatio(1, 0) * l.ops() / loop.ops(),
	}
	if o.BLAS != nil {
		out.BLASOpsPerS = l.ops() / turns.Median(2)
		out.OfBLAS = turns.Ratio(2, 0)
	}
	return []GEMM{out}, nil
}
