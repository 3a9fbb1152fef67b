package elementary

import (
	"math"
	"math/rand/v2"
	"testing"
)

// ulps is how many units in the last place a and b are apart.
func ulps(a, b float64) float64 {
	if a == b || a != a && b != b {
		return 0
	}
	return math.Abs(a-b) / (math.Nextafter(math.Abs(b), math.Inf(1)) - math.Abs(b))
}

func TestAgainstTheLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	worst := map[string]float64{}
	see := func(name string, x, got, want float64) {
		u := ulps(got, want)
		if !(u <= 2) {
			t.Errorf("%s(%g) is %g, want %g: %g units off", name, x, got, want, u)
		}
		worst[name] = max(worst[name], u)
	}
	for range 200_000 {
		x := -740 + 1440*rng.Float64()
		if x > -700 { // below, results are subnormal
			see("exp", x, Exp(x), math.Exp(x))
		}
		small := rng.NormFloat64()
		see("exp", small, Exp(small), math.Exp(small))
		wide := math.Exp(x * 0.9)
		see("log", wide, Log(wide), math.Log(wide))
		near := 1 + small/8
		if near > 0 {
			see("log", near, Log(near), math.Log(near))
		}
	}
	t.Log(worst)
}

func TestCosPi(t *testing.T) {
	for i := range 10_001 {
		x := float64(i) / 10_000
		if got, want := CosPi(x), math.Cos(math.Pi*x); math.Abs(got-want) > 5e-16 {
			t.Errorf("cos(π·%g) is %g, want %g", x, got, want)
		}
	}
	for x, want := range map[float64]float64{0: 1, 0.5: 0, 1: -1} {
		if got := CosPi(x); got != want {
			t.Errorf("cos(π·%g) is %g, want %g", x, got, want)
		}
	}
}

func TestEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"exp 0", Exp(0), 1},
		{"exp +Inf", Exp(inf), inf},
		{"exp −Inf", Exp(-inf), 0},
		{"exp NaN", Exp(nan), nan},
		{"exp 709.7", Exp(709.7), math.Exp(709.7)},
		{"exp 709.8", Exp(709.8), inf},
		{"exp 711", Exp(711), inf},
		{"exp −746.1", Exp(-746.1), 0},
		{"log 0", Log(0), -inf},
		{"log 1", Log(1), 0},
		{"log −1", Log(-1), nan},
		{"log +Inf", Log(inf), inf},
		{"log NaN", Log(nan), nan},
	} {
		if ulps(c.got, c.want) > 2 {
			t.Errorf("%s is %g, want %g", c.name, c.got, c.want)
		}
	}
	least := math.SmallestNonzeroFloat64
	if got := Exp(-744.4); got != least {
		t.Errorf("exp(−744.4) is %g, want %g", got, least)
	}
	if got, want := Log(least), -744.4400719213812; ulps(got, want) > 2 {
		t.Errorf("log(%g) is %g, want %g", least, got, want)
	}
}

// The bits are those of every processor: sums over many results, as they came
// out on amd64.
func TestBits(t *testing.T) {
	sum := map[string]uint64{}
	add := func(name string, v float64) { sum[name] = sum[name]*31 + math.Float64bits(v) }
	for i := range 20_000 {
		x := float64(i)*0.0625 - 700
		add("exp", Exp(x))
		add("exp", Exp(x/100))
		add("log", Log(float64(i)*0.001+1e-9))
		add("cos", CosPi(float64(i)/20_000))
	}
	for name, want := range map[string]uint64{"exp": 0x3500fa5b40f93920, "log": 0xa0277c4686d8c778, "cos": 0x213bacf930ee1e97} {
		if sum[name] != want {
			t.Errorf("%s: %#x, want %#x", name, sum[name], want)
		}
	}
}
