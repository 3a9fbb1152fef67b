package gpu

import (
	"slices"
	"testing"
)

type testBuffer struct{ size int64 }

func (b *testBuffer) Size() int64 { return b.size }
func (b *testBuffer) Free()       {}

func TestWaits(t *testing.T) {
	a, b := &testBuffer{4096}, &testBuffer{4096}
	span := func(in *testBuffer, offset, size int64) Span { return Span{in, offset, size} }
	copying := Kernel{Name: "copy", Buffers: 2, Writes: 1 << 1}
	stage := func(from, to Span) Stage { return Stage{Kernel: copying, Spans: []Span{from, to}} }
	stages := []Stage{
		stage(span(a, 0, 256), span(a, 256, 256)),
		stage(span(a, 0, 256), span(a, 512, 256)),    // reads what is read
		stage(span(b, 256, 256), span(b, 512, 256)),  // another buffer
		stage(span(a, 511, 1), span(b, 0, 256)),      // reads what the first wrote
		stage(span(a, 512, 256), span(a, 1024, 256)), // what was before the wait is done
		stage(span(b, 1024, 256), span(b, 0, 512)),   // writes what is written
		stage(span(a, 0, 256), span(b, 1279, 256)),   // writes what is read
		stage(span(a, 0, 256), span(a, 256, 256)),
	}
	want := []bool{false, false, false, true, false, true, true, false}
	if got := Waits(stages); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
