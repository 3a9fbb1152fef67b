package bench

import (
	"fmt"
	"time"
)

// BLAS is a library of other origin whose sgemm products are compared with.
type BLAS struct {
	Name string `json:"name"` // the file it was loaded from
	Core string `json:"core"` // the processor that its kernels are for, as it says
	// SetThreads sets how many threads Sgemm uses.
	SetThreads func(n int) `json:"-"`
	// Sgemm computes y [N, M] = x [N, K] · w [M, K]ᵀ, all row-major.
	Sgemm func(N, M, K int, x, w, y []float32) error `json:"-"`
}

// blasRest is longer than the threads of OpenBLAS wait busily for more work: 2²⁶
// cycles.
const blasRest = 40 * time.Millisecond

// contestant makes the library compute what l does, on weights [M, K] row-major,
// and compares the two results once. limit is what l's kernel may be off by.
func (b *BLAS) contestant(l *linear, weights []float32, threads int, limit float64) (Contestant, error) {
	b.SetThreads(threads)
	x, y := l.x.F32()[:l.N*l.K], make([]float32, l.N*l.M)
	run := func() error { return b.Sgemm(l.N, l.M, l.K, x, weights, y) }
	if err := run(); err != nil {
		return Contestant{}, err
	}
	if err := compare(b.Name, y, l.y.F32()[:l.N*l.M], limit); err != nil {
		return Contestant{}, fmt.Errorf("sgemm and %s disagree: %w", l.kernelName(), err)
	}
	return Contestant{Name: b.Name, Run: run, Rest: blasRest}, nil
}
