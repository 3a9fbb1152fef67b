package data

import (
	"math"
	"slices"
	"testing"
)

func mustOrder(t testing.TB, seed uint64, examples, batch int) Order {
	t.Helper()
	order, err := NewOrder(seed, examples, batch)
	if err != nil {
		t.Fatal(err)
	}
	return order
}

func TestOrderVisitsEachExampleOnceAnEpoch(t *testing.T) {
	for examples := 1; examples <= 70; examples++ {
		for _, batch := range []int{1, 3, 4, 7, 64, 100} {
			order := mustOrder(t, uint64(examples), examples, batch)
			var walk, picks []int
			for step := uint64(0); len(walk) < 3*examples; step++ {
				picks = order.Batch(step, picks)
				if len(picks) != batch {
					t.Fatalf("batch of %d, want %d", len(picks), batch)
				}
				walk = append(walk, picks...)
			}
			for epoch := range 3 {
				once := slices.Clone(walk[epoch*examples : (epoch+1)*examples])
				slices.Sort(once)
				for i, pick := range once {
					if i != pick {
						t.Fatalf("%d examples, batch %d, epoch %d: sorted picks %v", examples, batch, epoch, once)
					}
				}
			}
		}
	}
}

func TestOrderNeedsNoReplay(t *testing.T) {
	order := mustOrder(t, 5, 872, 6)
	var walk [][]int
	for step := range uint64(400) {
		walk = append(walk, order.Batch(step, nil))
	}
	again := mustOrder(t, 5, 872, 6)
	for step := len(walk) - 1; step >= 0; step-- {
		equal(t, "batch", again.Batch(uint64(step), nil), walk[step])
	}
	if got := order.Epoch(145); got != 0 {
		t.Errorf("epoch before step 145 is %d", got)
	}
	if got := order.Epoch(146); got != 1 {
		t.Errorf("epoch before step 146 is %d", got)
	}
}

// The numbers are those of the definition written down once more in Python.
func TestOrderNeverChanges(t *testing.T) {
	order := mustOrder(t, 7, 10, 30)
	equal(t, "order", order.Batch(0, nil), []int{6, 9, 1, 3, 8, 7, 4, 0, 2, 5, 8, 1, 9, 7, 4, 5, 2, 3, 0, 6, 3, 2, 5, 8, 6, 7, 0, 9, 4, 1})
	large := mustOrder(t, 0xdeadbeefcafe, 67349, 1)
	var got []int
	for _, place := range []uint64{0, 1, 2, 67348, 67349, 1e12} {
		got = append(got, large.Batch(place, nil)...)
	}
	equal(t, "large order", got, []int{54944, 16827, 40636, 8252, 931, 13717})
}

func TestOrderIsWellMixed(t *testing.T) {
	// Over seeds and epochs, each example comes first about equally often:
	// χ² with 9 degrees of freedom exceeds 40 with probability 1e-5.
	for _, byEpoch := range []bool{false, true} {
		var first [10]float64
		for i := range uint64(5000) {
			seed, step := i, uint64(0)
			if byEpoch {
				seed, step = 1, i*10
			}
			first[mustOrder(t, seed, 10, 1).Batch(step, nil)[0]]++
		}
		square := 0.0
		for _, count := range first {
			square += (count - 500) * (count - 500) / 500
		}
		if square > 40 {
			t.Errorf("by epoch %v: counts %v, χ² %.1f", byEpoch, first, square)
		}
	}
	// Neighbours in the file are not neighbours in the order.
	const examples = 2000
	picks := mustOrder(t, 3, examples, examples).Batch(0, nil)
	var sum, squares float64
	for i, pick := range picks {
		x, y := float64(i)/examples-0.5, float64(pick)/examples-0.5
		sum += x * y
		squares += x * x
	}
	if r := sum / squares; math.Abs(r) > 5/math.Sqrt(examples) {
		t.Errorf("place and example correlate with %.3f", r)
	}
}

func TestOrderAtTheEnds(t *testing.T) {
	for _, sizes := range [][2]int{{0, 1}, {1, 0}, {-1, 1}, {1, -1}} {
		_, err := NewOrder(1, sizes[0], sizes[1])
		wantError(t, err, ErrBatch)
	}
	equal(t, "one example", mustOrder(t, 1, 1, 3).Batch(math.MaxUint64, nil), []int{0, 0, 0})
	for _, pick := range mustOrder(t, 1, math.MaxInt, 5).Batch(1<<60, nil) {
		if pick < 0 {
			t.Errorf("pick is %d", pick)
		}
	}
}

func TestOrderAllocatesNothing(t *testing.T) {
	order := mustOrder(t, 1, 1000, 8)
	picks := make([]int, 0, 8)
	step := uint64(0)
	if n := testing.AllocsPerRun(100, func() { picks = order.Batch(step, picks); step++ }); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
