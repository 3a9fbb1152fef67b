package program

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"zeroth/runtime/op"
)

// BenchmarkOpen opens a file of 256 MiB in eight constants: mapping, hashing
// on all cores, verification. It also reports how that compares with one
// core that hashes the same number of bytes.
func BenchmarkOpen(b *testing.B) {
	const count, elements = 8, 8 << 20
	p := &Program{}
	data := make([]byte, 4*elements)
	for i := range count {
		p.Constants = append(p.Constants, Constant{fmt.Sprint(i), f32(op.C(elements)), data})
	}
	path := filepath.Join(b.TempDir(), "large.zpt")
	if err := Write(path, p, nil); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for range count {
		sha256.Sum256(data)
	}
	oneCore := time.Since(start)
	b.SetBytes(int64(count * len(data)))
	b.ReportAllocs()
	for b.Loop() {
		file, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := file.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(oneCore.Nanoseconds())/(float64(b.Elapsed().Nanoseconds())/float64(b.N)), "×one-core")
}
