package bench

import (
	"context"
	"math"
	"slices"
	"time"
)

// Contestant is something that is timed in turn with others.
type Contestant struct {
	Name string
	Run  func() error
	Rest time.Duration // to wait after its turn, for what it leaves running
}

// Turns are the times of contestants that ran in turn.
type Turns struct {
	Seconds [][]float64 // of one Run, by contestant and round
	// Processor is the time that the processors spent on this process instead,
	// all threads together. It is 0 where the system does not tell.
	Processor [][]float64
}

// Limits of a race: a turn lasts long enough for the clock and the caches, and
// there are enough rounds for a median.
const (
	turnTime    = 10 * time.Millisecond
	longestTurn = 100 * time.Millisecond
	leastRounds = 3
	mostRounds  = 1000
)

// InTurn times contestants in turn, A B C A B C …, for about the budget but at
// least three rounds. A short Run is repeated until a turn lasts some ten
// milliseconds, or as long as the longest Run up to a tenth of a second: what
// disturbs one then disturbs all. Before the first round each is run, untimed.
func InTurn(ctx context.Context, budget time.Duration, contestants ...Contestant) (Turns, error) {
	t := Turns{Seconds: make([][]float64, len(contestants)), Processor: make([][]float64, len(contestants))}
	repeats := make([]int, len(contestants))
	once := make([]float64, len(contestants))
	for i, c := range contestants {
		var err error
		if once[i], err = calibrate(ctx, c); err != nil {
			return t, err
		}
	}
	if len(once) > 0 {
		turn := min(max(turnTime.Seconds(), slices.Max(once)), longestTurn.Seconds())
		for i := range repeats {
			repeats[i] = int(math.Ceil(turn / once[i]))
		}
	}
	begin := time.Now()
	for round := 0; round < mostRounds && (round < leastRounds || time.Since(begin) < budget); round++ {
		for i, c := range contestants {
			if err := ctx.Err(); err != nil {
				return t, err
			}
			used := processorSeconds()
			seconds, err := timed(c, repeats[i])
			if err != nil {
				return t, err
			}
			t.Seconds[i] = append(t.Seconds[i], seconds)
			t.Processor[i] = append(t.Processor[i], (processorSeconds()-used)/float64(repeats[i]))
			time.Sleep(c.Rest)
		}
	}
	return t, nil
}

// calibrate runs a contestant until it is warm and returns what one Run takes.
func calibrate(ctx context.Context, c Contestant) (float64, error) {
	n := 1
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		seconds, err := timed(c, n)
		if err != nil {
			return 0, err
		}
		if total := seconds * float64(n); total >= turnTime.Seconds()/2 || n >= 1<<20 {
			return max(seconds, 1e-9), nil
		}
		n *= 2
	}
}

// timed is the time of one of n runs.
func timed(c Contestant, n int) (float64, error) {
	begin := time.Now()
	for range n {
		if err := c.Run(); err != nil {
			return 0, err
		}
	}
	return time.Since(begin).Seconds() / float64(n), nil
}

// Median is the median time of one Run of contestant i.
func (t Turns) Median(i int) float64 { return median(t.Seconds[i]) }

// Ratio is the median over the rounds of contestant i's time to contestant j's.
func (t Turns) Ratio(i, j int) float64 { return ratio(t.Seconds[i], t.Seconds[j]) }

// ProcessorRatio is Ratio of the time that processors spent, or 0 where the
// system does not tell. What other programs take from the clock's time does not
// count in it, nor does waiting for other threads.
func (t Turns) ProcessorRatio(i, j int) float64 {
	if slices.Contains(t.Processor[i], 0) || slices.Contains(t.Processor[j], 0) {
		return 0
	}
	return ratio(t.Processor[i], t.Processor[j])
}

// spent are the times of contestants i and j that processors spent on them, or by
// the clock where the system does not tell.
func (t Turns) spent(i, j int) (of, to []float64) {
	if t.ProcessorRatio(i, j) == 0 {
		return t.Seconds[i], t.Seconds[j]
	}
	return t.Processor[i], t.Processor[j]
}

// SpentRatio is ProcessorRatio, or Ratio where the system does not tell that.
func (t Turns) SpentRatio(i, j int) float64 { return ratio(t.spent(i, j)) }

// BestRatio is that of the shortest time of each, of any round.
func (t Turns) BestRatio(i, j int) float64 {
	of, to := t.spent(i, j)
	return slices.Min(of) / slices.Min(to)
}

func ratio(a, b []float64) float64 {
	ratios := make([]float64, len(a))
	for round := range ratios {
		ratios[round] = a[round] / b[round]
	}
	return median(ratios)
}

// median of at least one value; the mean of the two middle ones where their
// number is even.
func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the value below which a share of at least one value lies, between two
// of them by proportion.
func quantile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := share * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
