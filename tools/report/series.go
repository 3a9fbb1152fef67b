package report

// point is a value at a step. Index is its place in the list it came from.
type point struct {
	x, y  float64
	index int
}

// maxDrawn is the most points drawn of one curve: more than the pixels across
// most screens.
const maxDrawn = 2000

// thin leaves at most limit points, limit >= 4. The points, ordered along x,
// are cut into runs of equal count; each keeps its first, lowest, highest and
// last, so that no extreme is lost and the curve's outline stays.
func thin(points []point, limit int) []point {
	if len(points) <= limit {
		return points
	}
	runs := limit / 4
	kept := make([]point, 0, limit)
	for run := range runs {
		from, to := run*len(points)/runs, (run+1)*len(points)/runs
		low, high := from, from
		for i := from; i < to; i++ {
			if points[i].y < points[low].y {
				low = i
			}
			if points[i].y > points[high].y {
				high = i
			}
		}
		last := from - 1
		for _, i := range [...]int{from, min(low, high), max(low, high), to - 1} {
			if i > last {
				kept = append(kept, points[i])
				last = i
			}
		}
	}
	return kept
}

// runningMean gives each point the mean of itself and the window-1 before it,
// or of as many as there are. Each mean is summed anew, since a running sum
// would carry the rounding of one huge value to all after it.
func runningMean(points []point, window int) []point {
	mean := make([]point, len(points))
	for i, p := range points {
		from := max(0, i-window+1)
		scale, sum := 1/float64(i-from+1), 0.0
		for _, q := range points[from : i+1] {
			sum += q.y * scale
		}
		mean[i] = point{p.x, sum, p.index}
	}
	return mean
}

// meanWindow is the number of steps the bold curve averages over: a fortieth
// of the run, within bounds.
func meanWindow(steps int) int { return min(max(steps/40, 5), 250) }
