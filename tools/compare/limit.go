package compare

import (
	"fmt"
	"math"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Limit says how far a node alone may be off.
type Limit struct {
	// NMSE is that of the whole value. A single row or column may have lineFactor
	// times as much.
	NMSE   float64
	scale  float64 // size that an element counts for at least
	pairs  bool    // copies 2i and 2i + 1 are a ± pair
	loose  bool    // what is not finite may be so in any way
	steady float64 // see steadyShare
}

const (
	// exactly is the limit for f32: a sum of K products is off by u²·K/2 or less,
	// u = 2⁻²⁴, which is 1e-10 for the longest of models. What is above 1e-7 is no
	// rounding, even of values stored as f16 (2⁻²²/3 = 8e-8).
	exactly = 1e-7
	// roundedTo8 is the limit for products whose x a kernel may round to 8 bits a
	// row: with the largest of a row at peakOf times its root mean square, as in
	// normal values, 4·peakOf²/(127²·12) = 4.2e-4.
	roundedTo8 = 5e-4
	// roundedToBF16 is the same for x rounded to bf16: 4·2⁻¹⁶/3 = 2e-5.
	roundedToBF16 = 2.5e-5
	// throughHead is how much more a negative log-likelihood is off than a logit.
	throughHead = 4
	// lineFactor is how much more than the whole a single row or column may be
	// off: the worst of thousands is judged.
	lineFactor = 10
	// halfOfPair is the limit for the differences of ± pairs. Their sizes vary with
	// eps, and a kernel that treats the copies alike is far below; one that drops
	// the perturbation is at 1. Where rounding x is allowed more than this, so is
	// rounding half the difference.
	halfOfPair = 1e-2
)

// limitOf is the limit of a node whose inputs are in, out being what the reference
// made of them.
func limitOf(spec *op.Spec, in []*kernel.Tensor, out *kernel.Tensor, pairs bool) Limit {
	l := Limit{NMSE: exactly, scale: 1e-30, pairs: pairs, steady: steadyShare}
	switch spec.ID {
	case op.CrossEntropyHead, op.ChoiceLoss, op.WeightedSum:
		l.scale = 1 // nats: a loss near 0 is the difference of larger numbers
	case op.Linear, op.LinearLoRA:
	default:
		return l
	}
	if spec.ID == op.ChoiceLoss || spec.ID == op.WeightedSum {
		return l
	}
	loss := 0.0
	switch d := in[1].Type.DType; {
	case d == op.BF16:
		loss = roundedToBF16
	case d.Packed():
		loss = max(roundedTo8, 4*peak(in[0])/(127*127*12))
		if spec.ID != op.CrossEntropyHead {
			loss = max(loss, 4*spread(in[0], in[1], out))
		}
	default:
		return l
	}
	l.loose = true // codes keep that a row is not finite, but not in which way
	if spec.ID == op.CrossEntropyHead {
		loss *= throughHead
	}
	l.NMSE += loss
	return l
}

const (
	// storedAsHalf is what storing a value as f16 may add to its NMSE in the run. The
	// rounding itself is 2⁻²²/3 = 8e-8 at most; what follows from it is more where
	// values cancel, or go through an exponential.
	storedAsHalf = 1e-6
	// smallestHalf is the size that an f16 counts for at least: below its normal
	// numbers its steps are as large as there.
	smallestHalf = 1.0 / (1 << 14)
	// steadyHalf is steadyShare of f16, of which the copies may be a step or two apart.
	steadyHalf = 1e-6
)

// half makes it the limit of a node whose operands are f16.
func (l *Limit) half() {
	l.scale, l.steady = max(l.scale, smallestHalf), steadyHalf
}

// judgesLines reports whether rows or columns of n elements are judged.
func (l *Limit) judgesLines(n int) bool { return !l.loose && n > 0 || n >= fewSamples }

// alike reports whether two values, not both finite, are of one kind.
func (l *Limit) alike(a, b float64) bool {
	switch {
	case isFinite(a) || isFinite(b):
		return false
	case l.loose:
		return true
	}
	return math.IsNaN(a) == math.IsNaN(b) && math.Signbit(a) == math.Signbit(b) || math.IsNaN(a) && math.IsNaN(b)
}

// fault says what of an error is past the limit, or nothing.
func (l *Limit) fault(e *Error) string {
	switch {
	case e.Odd > 0:
		return fmt.Sprintf("%d elements are not finite as they should be; %s", e.Odd, e.FirstOdd)
	case e.NMSE > l.NMSE:
		return fmt.Sprintf("NMSE %.3g is above %.3g; furthest is %s", e.NMSE, l.NMSE, e.At)
	case e.Row > lineFactor*l.NMSE:
		return fmt.Sprintf("NMSE %.3g of a row is above %.3g; furthest is %s", e.Row, lineFactor*l.NMSE, e.At)
	case e.Column > lineFactor*l.NMSE:
		return fmt.Sprintf("NMSE %.3g of a column is above %.3g; furthest is %s", e.Column, lineFactor*l.NMSE, e.At)
	case e.Pair > pairLimit(l.NMSE):
		return fmt.Sprintf("NMSE %.3g of the differences of ± pairs is above %.3g; furthest is %s", e.Pair, pairLimit(l.NMSE), e.At)
	}
	return ""
}

// pairLimit is that of the pairs of a node with an NMSE limit.
func pairLimit(nmse float64) float64 { return max(halfOfPair, nmse) }

// runFault is the same for a value of the whole run, where errors of rows and
// columns spread in ways of their own.
func (l *Limit) runFault(e *Error) string {
	whole := Error{NMSE: e.NMSE, At: e.At, Odd: e.Odd, FirstOdd: e.FirstOdd}
	return l.fault(&whole)
}
