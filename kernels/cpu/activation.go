package cpu

import "zeroth/runtime/kernel"

// unary computes y = f(x) element by element: Gelu and Relu.
// x [w, N, C] → y [w, N, C]; y may be x.
type unary struct {
	call *kernel.Call
	f    func(dst, x []float32)
	n    int // elements of all copies
}

func (r *routines) bindRelu(c *kernel.Call) (kernel.Runner, error) {
	return &unary{call: c, f: r.relu}, nil
}

func (r *routines) bindGelu(c *kernel.Call) (kernel.Runner, error) {
	curve := &geluExact
	if c.Attrs.Int("approximate") == 1 {
		curve = &geluTanh
	}
	return &unary{call: c, f: func(dst, x []float32) { r.gelu(dst, x, curve) }}, nil
}

func (u *unary) Run() error {
	y := u.call.Out[0]
	u.n = y.Width * y.Elements()
	u.call.Pool.Run(u, ceilDiv(u.n, chunkElements))
	return nil
}

// Tile computes a run of elements.
func (u *unary) Tile(_, tile int) {
	first := tile * chunkElements
	last := min(first+chunkElements, u.n)
	u.f(u.call.Out[0].F32()[first:last], u.call.In[0].F32()[first:last])
}

// geluCurve gives the odd half of a Gelu, y = x · (½ + h(x)), as a rational
// function that is within 6e-9 of h before rounding:
//
//	h(x) = x · P(x²) / Q(x²) for |x| < most, ±½ from there on
//
// It was fitted by least squares at 1500 Chebyshev nodes, reweighted until the
// largest error was least. The assembly knows the order of the fields.
type geluCurve struct {
	p, q [6]float32 // lowest power first
	most float32
}

// geluExact has h(x) = Φ(x) − ½ = ½ erf(x/√2).
var geluExact = geluCurve{
	p:    [6]float32{0.39894226, 0.032544583, 0.004608647, 0.00015686185, 6.4078886e-06, 2.4731095e-08},
	q:    [6]float32{1, 0.24824351, 0.027926706, 0.001817204, 7.049617e-05, 1.2588675e-06},
	most: 5.2,
}

// geluTanh has h(x) = ½ tanh(√(2/π) · (x + 0.044715 x³)).
var geluTanh = geluCurve{
	p:    [6]float32{0.39894232, 0.030432768, 0.0036287687, 0.00013329297, 6.985407e-06, 2.3535447e-08},
	q:    [6]float32{1, 0.24377595, 0.024353337, 0.0012967254, 7.539885e-05, 1.2964188e-06},
	most: 5.1,
}

// at is h(x); NaN for NaN.
func (c *geluCurve) at(x float32) float32 {
	if x >= c.most {
		return 0.5
	}
	if x <= -c.most {
		return -0.5
	}
	s := x * x
	return x * horner(&c.p, s) / horner(&c.q, s)
}

// horner is Σ c[i] · sⁱ, each product and each sum rounded.
func horner(c *[6]float32, s float32) float32 {
	sum := c[5]
	for i := 4; i >= 0; i-- {
		sum = float32(sum*s) + c[i]
	}
	return sum
}

func geluGeneric(dst, x []float32, c *geluCurve) {
	x = x[:len(dst)]
	for i, v := range x {
		dst[i] = v * (0.5 + c.at(v))
	}
}

func reluGeneric(dst, x []float32) {
	x = x[:len(dst)]
	for i, v := range x {
		dst[i] = max(v, 0)
	}
}
