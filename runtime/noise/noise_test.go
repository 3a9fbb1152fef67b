package noise

import (
	"math"
	"testing"
)

// The known answers of Random123's kat_vectors for philox4x32-10.
func TestPhiloxKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
			[2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := Philox(c.counter, c.key); got != c.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

func TestQuantileFollowsTheNormalDistribution(t *testing.T) {
	// Against the float64 quantile at words spread over all octaves.
	worst := 0.0
	for octave := range 31 {
		for step := range 1000 {
			u := uint32(1)<<octave | uint32(step)<<octave/1000
			want := math.Sqrt2 * math.Erfcinv(float64(u|1)/(1<<31))
			got := float64(Quantile(u))
			worst = max(worst, math.Abs(got-want))
			if neg := Quantile(u | 1<<31); neg != -Quantile(u) {
				t.Fatalf("Quantile(%#x) = %g, not the mirror of %g", u|1<<31, neg, got)
			}
		}
	}
	if worst > 2e-4 {
		t.Errorf("largest error of the quantile %g, want at most 2e-4", worst)
	}
}

// moments returns mean, variance, skewness and kurtosis.
func moments(z []float32) (m1, m2, m3, m4 float64) {
	n := float64(len(z))
	for _, v := range z {
		m1 += float64(v) / n
	}
	for _, v := range z {
		d := float64(v) - m1
		m2 += d * d / n
		m3 += d * d * d / n
		m4 += d * d * d * d / n
	}
	return m1, m2, m3 / math.Pow(m2, 1.5), m4 / (m2 * m2)
}

func TestMoments(t *testing.T) {
	const n = 1 << 20
	z := make([]float32, n)
	sigma := 1 / math.Sqrt(n)
	Gaussian.Fill(z, [2]uint32{1, 2}, 3, 4, 0)
	m, v, s, k := moments(z)
	// Standard errors of the sample moments of a normal: 1, √2, √6, √24 over √n.
	if math.Abs(m) > 5*sigma || math.Abs(v-1) > 5*math.Sqrt2*sigma ||
		math.Abs(s) > 5*math.Sqrt(6)*sigma || math.Abs(k-3) > 5*math.Sqrt(24)*sigma {
		t.Errorf("gaussian moments %g %g %g %g", m, v, s, k)
	}
	Rademacher.Fill(z, [2]uint32{1, 2}, 3, 4, 0)
	if m, v, _, _ = moments(z); math.Abs(m) > 5*sigma || math.Abs(v-1) > 1e-4 {
		t.Errorf("rademacher mean %g variance %g", m, v)
	}
}

// Fill from the middle must agree with Fill from the start: an element depends
// on its index alone.
func TestFillIsAFunctionOfTheIndex(t *testing.T) {
	for _, s := range []Sampler{Gaussian, Rademacher} {
		whole := make([]float32, 700)
		s.Fill(whole, [2]uint32{9, 8}, 7, 6, 0)
		for first := range 300 {
			for _, n := range []int{0, 1, 2, 3, 5, 130, 400} {
				part := make([]float32, n)
				s.Fill(part, [2]uint32{9, 8}, 7, 6, uint32(first))
				for i := range part {
					if part[i] != whole[first+i] {
						t.Fatalf("%s: element %d from %d differs", s, i, first)
					}
				}
			}
		}
	}
}

// Directions of different seeds, sites, queries and steps must be as good as
// independent: no equal streams, and correlations of the size chance gives.
func TestStreamsAreIndependent(t *testing.T) {
	const n = 4096
	for _, s := range []Sampler{Gaussian, Rademacher} {
		var streams [][]float32
		add := func(seed [2]uint32, site, query uint32) {
			z := make([]float32, n)
			s.Fill(z, seed, site, query, 0)
			streams = append(streams, z)
		}
		for step := range uint64(6) {
			add(StepSeed(42, step), 0, 0)
		}
		for k := range uint32(6) {
			add([2]uint32{1, 0}, k, 0)
			add([2]uint32{1, 0}, 77, k)
			add([2]uint32{k, 5}, 77, 9)
		}
		for i := range streams {
			for j := range i {
				dot := 0.0
				for e := range n {
					dot += float64(streams[i][e]) * float64(streams[j][e])
				}
				if corr := dot / n; math.Abs(corr) > 5.5/math.Sqrt(n) {
					t.Errorf("%s: streams %d and %d correlate by %g", s, i, j, corr)
				}
			}
		}
	}
}

// The published MobiZO code falls into a cycle of a few thousand seeds; a
// million steps of ours have a million seeds.
func TestStepSeedsDoNotCycle(t *testing.T) {
	const n = 1 << 20
	seen := make(map[[2]uint32]bool, n)
	for step := range uint64(n) {
		seed := StepSeed(7, step)
		if seen[seed] {
			t.Fatalf("step %d repeats a seed", step)
		}
		seen[seed] = true
	}
}

func TestFillUniform(t *testing.T) {
	x := make([]float32, 100003)
	FillUniform(x, 5, 3, 0.25)
	mean, least, most := 0.0, float32(1), float32(-1)
	for _, v := range x {
		mean += float64(v) / float64(len(x))
		least, most = min(least, v), max(most, v)
	}
	if math.Abs(mean) > 0.25/math.Sqrt(3)*5/math.Sqrt(float64(len(x))) || least < -0.25 || most >= 0.25 || least > -0.249 || most < 0.249 {
		t.Errorf("uniform mean %g, range %g to %g", mean, least, most)
	}
}

func TestParseSampler(t *testing.T) {
	for _, s := range []Sampler{Gaussian, Rademacher} {
		if got, err := ParseSampler(s.String()); err != nil || got != s {
			t.Errorf("ParseSampler(%q) = %v, %v", s, got, err)
		}
	}
	if _, err := ParseSampler("cauchy"); err == nil {
		t.Error("cauchy was accepted")
	}
}

func BenchmarkFill(b *testing.B) {
	z := make([]float32, 4096)
	for _, s := range []Sampler{Gaussian, Rademacher} {
		b.Run(s.String(), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				s.Fill(z, [2]uint32{1, uint32(i)}, 2, 3, 0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(z)), "ns/z")
		})
	}
}

// The mean of many roundings is the number itself, each is a neighbour, and what
// bfloat16 can hold stays.
func TestRoundBF16(t *testing.T) {
	const n = 1 << 16
	x, out := make([]float32, n), make([]uint16, n)
	for _, v := range []float32{1 + 1.0/512, -3.14159, 1e-3, 1e-40, 6.5e4} {
		for i := range x {
			x[i] = v
		}
		RoundBF16(out, x, [2]uint32{1, 2}, 3, 5)
		below := math.Float32bits(v) >> 16
		sum := 0.0
		for i, b := range out {
			if b != uint16(below) && b != uint16(below+1) {
				t.Fatalf("%g: element %d is %#x, its neighbours are %#x and the next", v, i, b, below)
			}
			sum += float64(math.Float32frombits(uint32(b) << 16))
		}
		gap := float64(math.Float32frombits((below+1)<<16)) - float64(math.Float32frombits(below<<16))
		if mean := sum / n; math.Abs(mean-float64(v)) > 4*math.Abs(gap)/(2*math.Sqrt(n)) {
			t.Errorf("%g: mean %g, neighbours %g apart", v, mean, gap)
		}
	}
	special := []float32{0, -2, float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0x7f800001), 0.5}
	RoundBF16(out, special, [2]uint32{1, 2}, 0, 0)
	for i, v := range special {
		got := math.Float32frombits(uint32(out[i]) << 16)
		if got != v && !(got != got && v != v) {
			t.Errorf("%g became %g", v, got)
		}
	}
	// A part is the same as the whole from there on.
	part := make([]uint16, 10)
	for i := range x {
		x[i] = float32(i) * 1.001
	}
	RoundBF16(out, x, [2]uint32{7, 7}, 1, 0)
	RoundBF16(part, x[13:23], [2]uint32{7, 7}, 1, 13)
	for i, b := range part {
		if b != out[13+i] {
			t.Errorf("element %d: %#x, as part of the whole %#x", i, b, out[13+i])
		}
	}
}
