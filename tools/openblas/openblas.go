// Package openblas calls the machine's OpenBLAS, if it has one, so that the
// benchmarks can be compared with it in the same process. Nothing that trains
// or runs a program may use it.
package openblas

import (
	"errors"
	"fmt"
	"math"

	"zeroth/kernels/dl"
)

// ErrShape is wrapped when matrices do not have the sizes that were named.
var ErrShape = errors.New("matrix of the wrong size")

// names are the files in which systems keep the library with 32-bit integers.
var names = []string{
	"libopenblas.so.0", "libopenblas.so",
	"libopenblas.dylib", "/opt/homebrew/opt/openblas/lib/libopenblas.dylib", "/usr/local/opt/openblas/lib/libopenblas.dylib",
	"libopenblas.dll", "openblas.dll",
}

// Constants of cblas.h.
const (
	rowMajor  = 101
	noTrans   = 111
	transpose = 112
)

// Library is a loaded OpenBLAS. It is for one caller at a time.
type Library struct {
	name, core, config string

	setThreads func(n int32)
	sgemm      func(order, transA, transB, m, n, k int32, alpha float32, a *float32, lda int32,
		b *float32, ldb int32, beta float32, c *float32, ldc int32)
}

// Open loads the machine's OpenBLAS.
func Open() (*Library, error) {
	shared, err := dl.Open(names...)
	if err != nil {
		return nil, fmt.Errorf("OpenBLAS: %w", err)
	}
	l := &Library{name: shared.Name()}
	var core, config func() string
	for name, fn := range map[string]any{
		"cblas_sgemm": &l.sgemm, "openblas_set_num_threads": &l.setThreads,
		"openblas_get_corename": &core, "openblas_get_config": &config,
	} {
		if err := shared.Bind(fn, name); err != nil {
			return nil, fmt.Errorf("OpenBLAS: %w", err)
		}
	}
	l.core, l.config = core(), config()
	return l, nil
}

// Name is the file that was loaded.
func (l *Library) Name() string { return l.name }

// Core is the processor that its kernels are for, as it says: Haswell, Zen,
// SkylakeX, …. The environment variable OPENBLAS_CORETYPE overrides its choice.
func (l *Library) Core() string { return l.core }

// Config is its version and build options, as it says.
func (l *Library) Config() string { return l.config }

// SetThreads sets how many threads Sgemm uses.
func (l *Library) SetThreads(n int) { l.setThreads(int32(min(max(n, 1), math.MaxInt32))) }

// Sgemm computes y [N, M] = x [N, K] · w [M, K]ᵀ, all row-major.
func (l *Library) Sgemm(N, M, K int, x, w, y []float32) error {
	for _, m := range []struct {
		name          string
		rows, columns int
		values        []float32
	}{{"x", N, K, x}, {"w", M, K, w}, {"y", N, M, y}} {
		if m.rows < 1 || m.columns < 1 || m.rows > math.MaxInt32 || m.columns > math.MaxInt32 ||
			len(m.values)/m.rows < m.columns {
			return fmt.Errorf("%w: %s [%d, %d] has %d elements", ErrShape, m.name, m.rows, m.columns, len(m.values))
		}
	}
	l.sgemm(rowMajor, noTrans, transpose, int32(N), int32(M), int32(K),
		1, &x[0], int32(K), &w[0], int32(K), 0, &y[0], int32(M))
	return nil
}
