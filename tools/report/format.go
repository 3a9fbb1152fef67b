package report

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on strings, in runes. Longer ones lose their middle.
const (
	maxName  = 160 // of a tensor, node, op or kernel
	maxFact  = 300
	maxValue = 2000 // of a setting
)

// clean makes a string from outside fit to print: valid UTF-8, on one line,
// without control characters or marks that turn the direction of writing, and
// of at most limit runes. The middle goes first: names differ at their ends.
func clean(s string, limit int) string {
	if most := utf8.UTFMax * limit; len(s) > 2*most {
		s = s[:most] + s[len(s)-most:] // holds both ends, without a copy of all
	}
	runes := []rune(s)
	if len(runes) > limit {
		head := limit * 2 / 3
		tail := limit - head - 1
		short := append(make([]rune, 0, limit), runes[:head]...)
		short = append(short, '…')
		runes = append(short, runes[len(runes)-tail:]...)
	}
	for i, r := range runes {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			runes[i] = ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == 0xfffe, r == 0xffff:
			runes[i] = utf8.RuneError
		}
	}
	return string(runes)
}

// formatCount writes a whole number with commas: 12,345.
func formatCount(n int64) string { return group(strconv.FormatInt(n, 10)) }

// group puts commas between the thousands of a decimal number.
func group(number string) string {
	digits, rest := number, ""
	if i := strings.IndexByte(number, '.'); i >= 0 {
		digits, rest = number[:i], number[i:]
	}
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits + rest
}

// formatSeconds writes a time to three significant digits.
func formatSeconds(s float64) string {
	switch {
	case s == 0:
		return "0 s"
	case s < 1e-3:
		return significant(s*1e6, 3) + " µs"
	case s < 1:
		return significant(s*1e3, 3) + " ms"
	case s < 120:
		return significant(s, 3) + " s"
	case s < 7200:
		return significant(s/60, 3) + " min"
	default:
		return significant(s/3600, 3) + " h"
	}
}

// significant writes a positive number to the given significant digits, all
// digits before the point.
func significant(v float64, digits int) string {
	before := int(math.Floor(math.Log10(v))) + 1
	return strconv.FormatFloat(v, 'f', min(max(digits-before, 0), digits), 64)
}

// formatValue writes a loss or another measured number.
func formatValue(v float64) string {
	if size := math.Abs(v); v != 0 && (size < 1e-3 || size >= 1e6) {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// formatPercent writes a fraction as a percentage.
func formatPercent(fraction float64) string {
	return strconv.FormatFloat(100*fraction, 'f', 1, 64) + " %"
}
