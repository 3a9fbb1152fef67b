package cpu

import (
	"testing"

	"zeroth/runtime/op"
)

func TestArithmetic(t *testing.T) {
	for _, f := range levels(t) {
		want, wantBF16 := "fused", "fused"
		switch {
		case f == Features{}:
			want, wantBF16 = "plain", "plain"
		case f.BF16 || f.AVX512BF16:
			wantBF16 = "fused bf16"
		}
		if got := Arithmetic(f, []op.DType{op.F32, op.I8}); got != want {
			t.Errorf("%s: %s, want %s", f, got, want)
		}
		if got := Arithmetic(f, []op.DType{op.F32, op.BF16}); got != wantBF16 {
			t.Errorf("%s with bf16: %s, want %s", f, got, wantBF16)
		}
	}
}
