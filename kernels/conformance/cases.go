package conformance

import (
	"fmt"
	"strings"

	"zeroth/runtime/op"
)

// Cases is the table, op by op. It is made anew at each call.
func Cases() []Case {
	var all []Case
	for _, family := range [][]Case{
		gatherCases(),
		normalizationCases(),
		linearCases(),
		loraCases(),
		rotaryCases(),
		attentionCases(),
		swigluCases(),
		addCases(),
		crossEntropyCases(),
		weightedSumCases(),
		choiceCases(),
		updateCases(),
		layerNormalizationCases(),
		geluCases(),
		reluCases(),
		sliceCases(),
		quantisedCases(),
		trainableCases(),
		tangentCases(),
	} {
		all = append(all, family...)
	}
	return all
}

// roundoffSquared is u², u = 2⁻²⁴ being the largest relative error of one f32
// rounding.
const roundoffSquared = 1.0 / (1 << 48)

// sums is the limit for results that are f32 sums of K products of values of
// alternating sign. Each partial sum is rounded by at most u of itself. Like
// the sum, partial sums grow as √k, so the squared errors add up to at most
// u²·(1 + 2 + … + K) against a result of K: NMSE u²·K/2 for a sum in index
// order, less for any tree; the products and the store add a few u². The
// factor 16 leaves room for errors that are not independent.
func sums(K int) float64 { return 16 * roundoffSquared * float64(K+4) }

// amplified is the limit where such sums go through a function that turns an
// error of its argument, of magnitude up to size, into a relative error of the
// result: exp(x(1+u)) = exp(x)·(1 + xu).
func amplified(limit, size float64) float64 { return limit * (1 + size) * (1 + size) }

// The dimensions that the cases use.
var (
	tokens = op.S(op.Tokens, 0)
	rows   = op.S(op.LossRows, 0)
)

var bothLayouts = [...]op.Layout{op.Rows, op.Panels16}

var noAndYes = [...]bool{false, true}

// values is an f32 input of standard normal values.
func values(wide bool, shape ...op.Dim) Input {
	return Input{Type: op.Type{DType: op.F32, Wide: wide, Shape: shape}}
}

// constant is a constant f32 input of width 1.
func constant(f Float, shape ...op.Dim) Input {
	return Input{Type: op.Type{DType: op.F32, Shape: shape}, Constant: true, Float: f}
}

// weights is a constant matrix W [M, K] in a layout.
func weights(layout op.Layout, f Float, M, K int) Input {
	w := constant(f, op.C(M), op.C(K))
	w.Type.Layout = layout
	return w
}

// index is an index input.
func index(extent op.Dim) Input {
	return Input{Type: op.Type{DType: op.I32, Shape: []op.Dim{extent}}}
}

// seed is a step seed of any value.
func seed() Input {
	return Input{Type: op.Type{DType: op.U32, Shape: []op.Dim{op.C(2)}}, Integer: anyWord}
}

// siteAttr is the attribute of a site of any id, which need not fit an int of 32
// bits.
func siteAttr(site uint32) op.Attr { return op.Attr{Name: "site", Kind: op.Int, I: int64(site)} }

// filled gives the input's elements by f.
func (in Input) filled(f Float) Input {
	in.Float = f
	return in
}

// turn picks the i-th of the options, over and over.
func turn[T any](i int, options ...T) T { return options[i%len(options)] }

// name joins the parts of a case's name: "M=17 K=33 panels16 wide".
func name(parts ...any) string {
	var b strings.Builder
	for i := 0; i < len(parts); i++ {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if s := fmt.Sprint(parts[i]); strings.HasSuffix(s, "=") && i+1 < len(parts) {
			i++
			fmt.Fprintf(&b, "%s%v", s, parts[i])
		} else {
			b.WriteString(s)
		}
	}
	return b.String()
}

func widths(wide ...bool) string {
	var list []string
	for _, w := range wide {
		if w {
			list = append(list, "wide")
		} else {
			list = append(list, "narrow")
		}
	}
	return strings.Join(list, "/")
}
