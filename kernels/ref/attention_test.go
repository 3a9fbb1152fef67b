package ref

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

func attentionAttrs(heads, kvHeads int, scale float64, causal bool) op.Attrs {
	return op.Attrs{
		op.IntAttr("num_heads", heads), op.IntAttr("kv_num_heads", kvHeads),
		op.FloatAttr("scale", scale), op.BoolAttr("causal", causal),
	}
}

// denseAttention is the textbook matrix form with an N × N mask.
func denseAttention(q, k, v []float32, sequence []int, heads, kvHeads, D int, scale float64, causal bool) []float64 {
	N := len(sequence)
	y := make([]float64, N*heads*D)
	for h := range heads {
		g := h / (heads / kvHeads)
		for i := range N {
			weights, total := make([]float64, N), 0.0
			for j := range N {
				if sequence[i] != sequence[j] || causal && j > i {
					continue
				}
				dot := 0.0
				for d := range D {
					dot += float64(q[i*heads*D+h*D+d]) * float64(k[j*kvHeads*D+g*D+d])
				}
				weights[j] = math.Exp(scale * dot)
				total += weights[j]
			}
			for j := range N {
				for d := range D {
					y[i*heads*D+h*D+d] += weights[j] / total * float64(v[j*kvHeads*D+g*D+d])
				}
			}
		}
	}
	return y
}

func TestAttentionIsTheDenseForm(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	const N, copies = 9, 3
	offsets, sequence := []int32{0, 4, 4, 5, 9}, []int{0, 0, 0, 0, 2, 3, 3, 3, 3}
	for _, heads := range [][2]int{{1, 1}, {2, 2}, {4, 2}, {6, 2}, {3, 1}} {
		for _, D := range []int{1, 2, 5} {
			for wide := range 8 {
				causal := wide%2 == 0
				make := func(bit, channels int) *kernel.Tensor {
					if wide>>bit&1 == 1 {
						return tensor(random(rng, copies*N*channels), copies, N, channels)
					}
					return narrow(random(rng, N*channels), N, channels)
				}
				q, k, v := make(0, heads[0]*D), make(1, heads[1]*D), make(2, heads[1]*D)
				y := compute(t, op.Attention, copies, attentionAttrs(heads[0], heads[1], 0.7, causal), q, k, v, tensor(offsets, 0, 5))
				for p := range y.Width {
					want := denseAttention(q.Copy(p), k.Copy(p), v.Copy(p), sequence, heads[0], heads[1], D, 0.7, causal)
					for i := range want {
						if got := y.Copy(p)[i]; math.Abs(float64(got)-want[i]) > 1e-6 {
							t.Fatalf("heads %v D %d copy %d element %d: %g, want %g", heads, D, p, i, got, want[i])
						}
					}
				}
			}
		}
	}
}

func TestAttentionOfHugeScoresIsFinite(t *testing.T) {
	q, v := narrow([]float32{1e4, 1e4}, 2, 1), narrow([]float32{3, 5}, 2, 1)
	y := compute(t, op.Attention, 1, attentionAttrs(1, 1, 1, false), q, narrow([]float32{1e4, 2e4}, 2, 1), v, tensor([]int32{0, 2}, 0, 2))
	near(t, "y[0]", y.F32()[0], 5)
	near(t, "y[1]", y.F32()[1], 5)
}

// A NaN key or value reaches the tokens that see it, and no other.
func TestNaNStaysBehindTheMask(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		causal bool
		want   []bool
	}{
		{true, []bool{false, true, true, false, false}},
		{false, []bool{true, true, true, false, false}},
	} {
		one := []float32{1, 1, 1, 1, 1}
		bad := []float32{1, nan, 1, 1, 1}
		for _, kv := range [][2][]float32{{bad, one}, {one, bad}} {
			y := compute(t, op.Attention, 1, attentionAttrs(1, 1, 1, c.causal),
				narrow(one, 5, 1), narrow(kv[0], 5, 1), narrow(kv[1], 5, 1), tensor([]int32{0, 3, 5}, 0, 3))
			for i, want := range c.want {
				if isNaN(y.F32()[i]) != want {
					t.Errorf("causal %v: token %d is %g", c.causal, i, y.F32()[i])
				}
			}
		}
	}
}

func TestRotaryIsComplexMultiplication(t *testing.T) {
	const N, heads, half, S, copies = 4, 3, 2, 7, 2
	const C = heads * half * 2
	rng := rand.New(rand.NewPCG(10, 10))
	angles := make([]float64, S*half)
	cos, sin := make([]float32, S*half), make([]float32, S*half)
	for i := range angles {
		angles[i] = float64(i/half) * math.Pow(10, -float64(i%half))
		cos[i], sin[i] = float32(math.Cos(angles[i])), float32(math.Sin(angles[i]))
	}
	positions := []int32{6, 0, 3, 3}
	for _, interleaved := range []bool{false, true} {
		x := tensor(random(rng, copies*N*C), copies, N, C)
		attrs := op.Attrs{op.IntAttr("num_heads", heads), op.BoolAttr("interleaved", interleaved)}
		y := compute(t, op.RotaryEmbedding, copies, attrs, x, tensor(positions, 0, N), narrow(cos, S, half), narrow(sin, S, half))
		for p := range copies {
			for n := range N {
				for h := range heads {
					for i := range half {
						a, b := n*C+h*2*half+i, n*C+h*2*half+half+i
						if interleaved {
							a, b = n*C+h*2*half+2*i, n*C+h*2*half+2*i+1
						}
						want := complex(float64(x.Copy(p)[a]), float64(x.Copy(p)[b])) *
							cmplx.Exp(complex(0, angles[int(positions[n])*half+i]))
						got := complex(float64(y.Copy(p)[a]), float64(y.Copy(p)[b]))
						if cmplx.Abs(got-want) > 1e-6 {
							t.Fatalf("interleaved %v copy %d token %d head %d pair %d: %v, want %v", interleaved, p, n, h, i, got, want)
						}
					}
				}
			}
		}
	}
}
