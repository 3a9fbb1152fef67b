// Package bytesize writes sizes for people: in binary units, the largest that
// leaves a number of 1 or more.
package bytesize

import (
	"math"
	"strconv"
	"strings"
)

// Number is what sizes are held in.
type Number interface {
	~int | ~int64 | ~uint64 | ~float64
}

// Format writes a size to one decimal, or none where that is 0: 640 B, 13.8 MiB,
// 2 GiB.
func Format[N Number](n N) string { return format(float64(n), 1) }

// Precise writes a size to three decimals, less the zeros at their end: for two of
// which one is only just above the other.
func Precise[N Number](n N) string { return format(float64(n), 3) }

var units = [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}

func format(size float64, decimals int) string {
	unit := 0
	// What would be rounded to 1024 of a unit is 1 of the next.
	for most := 1024 - math.Pow10(-decimals)/2; math.Abs(size) >= most && unit < len(units)-1; unit++ {
		size /= 1024
	}
	number := strconv.FormatFloat(size, 'f', decimals, 64)
	return strings.TrimRight(strings.TrimRight(number, "0"), ".") + " " + units[unit]
}
