package report

import (
	"math"
	"strconv"

	"zeroth/internal/bytesize"
)

// largest is the largest magnitude drawn: spans of two such values do not
// overflow. What lies beyond it counts as not finite.
const largest = 1e300

func drawable(v float64) bool { return math.Abs(v) <= largest } // false for NaN

// axis maps values from lo to hi, lo < hi, to 0 to 1.
type axis struct {
	lo, hi float64
	ticks  []float64
	format func(float64) string
}

func (a *axis) at(v float64) float64 { return (v - a.lo) / (a.hi - a.lo) }

// span is the range of the values seen so far.
type span struct {
	lo, hi float64
	any    bool
}

func (s *span) add(v float64) {
	if !drawable(v) {
		return
	}
	if !s.any {
		s.lo, s.hi, s.any = v, v, true
		return
	}
	s.lo, s.hi = min(s.lo, v), max(s.hi, v)
}

// valueAxis covers the span with whole tick intervals, about wanted of them.
// A span too small to divide, as of one value, is widened around itself.
func valueAxis(s span, wanted int) axis {
	lo, hi := s.lo, s.hi
	if hi-lo <= 1e-9*max(math.Abs(lo), math.Abs(hi)) || hi-lo < 1e-290 {
		reach := 0.1 * max(math.Abs(lo), math.Abs(hi))
		if reach < 1e-280 {
			reach = 1
		}
		lo, hi = lo-reach, hi+reach
		if s.lo >= 0 {
			lo = max(lo, 0)
		}
	}
	step := tickStep((hi-lo)/float64(wanted), false)
	a := axis{lo: math.Floor(lo/step) * step, hi: math.Ceil(hi/step) * step, format: stepFormat(step)}
	a.ticks = ticksWithin(a.lo, a.hi, step)
	return a
}

// stepAxis covers the steps exactly, with ticks at whole steps. It begins at 0
// when the first step is near it.
func stepAxis(s span, wanted int) axis {
	a := axis{lo: s.lo, hi: s.hi, format: formatStep}
	if a.lo > 0 && a.lo <= a.hi/10 {
		a.lo = 0
	}
	if a.hi-a.lo <= 1e-9*max(math.Abs(a.lo), math.Abs(a.hi)) {
		a.lo, a.hi = a.lo-max(1, 1e-3*math.Abs(a.lo)), a.hi+max(1, 1e-3*math.Abs(a.hi))
		if s.lo >= 0 {
			a.lo = max(a.lo, 0)
		}
	}
	a.ticks = ticksWithin(a.lo, a.hi, tickStep((a.hi-a.lo)/float64(wanted), true))
	return a
}

// byteAxis covers 0 to size bytes exactly, with ticks at powers of two times 1.
func byteAxis(size float64, wanted int) axis {
	step := math.Exp2(math.Ceil(math.Log2(max(size, 1) / float64(wanted))))
	a := axis{lo: 0, hi: max(size, 1), format: func(v float64) string { return bytesize.Format(v) }}
	a.ticks = ticksWithin(0, a.hi, max(step, 1))
	return a
}

// tickStep is the smallest of 1, 2 and 5 times a power of ten that is at
// least the given distance.
func tickStep(distance float64, whole bool) float64 {
	if whole && distance <= 1 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(distance)))
	for _, factor := range [...]float64{1, 2, 5} {
		// The slack keeps 0.30000000000000004 from becoming 0.5.
		if factor*power >= distance*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// ticksWithin are the multiples of step from lo to hi.
func ticksWithin(lo, hi, step float64) []float64 {
	var ticks []float64
	first := math.Ceil(lo/step - 1e-6)
	count := int(math.Floor(hi/step+1e-6) - first)
	for i := 0; i <= min(count, 50); i++ {
		ticks = append(ticks, (first+float64(i))*step+0) // + 0: no "-0"
	}
	return ticks
}

// stepFormat writes multiples of step with the decimals the step needs.
func stepFormat(step float64) func(float64) string {
	decimals := int(-math.Floor(math.Log10(step) + 1e-9))
	return func(v float64) string {
		if decimals > 5 || math.Abs(v) >= 1e6 {
			return strconv.FormatFloat(v, 'g', 4, 64)
		}
		return group(strconv.FormatFloat(v, 'f', max(decimals, 0), 64))
	}
}

// formatStep writes the number of a step.
func formatStep(v float64) string {
	if math.Abs(v) >= 1e7 {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return group(strconv.FormatFloat(v, 'f', 0, 64))
}
