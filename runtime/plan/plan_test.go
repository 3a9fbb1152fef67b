package plan

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestChainReusesMemory(t *testing.T) {
	// a → b → c: a and c are never live together.
	p, err := Build([]Item{{"a", 1000, 0, 1}, {"b", 500, 1, 2}, {"c", 1000, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	if want := 1024 + 512; p.Bytes != want || p.LowerBound != want {
		t.Errorf("arena %d, lower bound %d, want %d", p.Bytes, p.LowerBound, want)
	}
	if p.Items[0].Offset != p.Items[2].Offset {
		t.Errorf("a at %d and c at %d could share", p.Items[0].Offset, p.Items[2].Offset)
	}
}

func TestDegenerate(t *testing.T) {
	p, err := Build(nil)
	if err != nil || p.Bytes != 0 || p.LowerBound != 0 {
		t.Errorf("no items: %+v, %v", p, err)
	}
	p, err = Build([]Item{{"empty", 0, 0, 5}, {"x", 1, 0, 0}})
	if err != nil || p.Bytes != Align {
		t.Errorf("an empty item: %+v, %v", p, err)
	}
	for _, bad := range []Item{
		{"negative", -1, 0, 0}, {"backwards", 1, 2, 1}, {"before", 1, -1, 1}, {"huge", math.MaxInt, 0, 1},
	} {
		if _, err := Build([]Item{bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: error %v", bad.Name, err)
		}
	}
	if _, err := Build([]Item{{"a", math.MaxInt/2 + 1, 0, 1}, {"b", math.MaxInt/2 + 1, 0, 1}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("overflow: error %v", err)
	}
}

func TestVerifyFindsFaults(t *testing.T) {
	sound := func() *Plan {
		return &Plan{Bytes: 256, Items: []Placed{
			{Item{"a", 100, 0, 2}, 0}, {Item{"b", 64, 1, 3}, 128}, {Item{"c", 100, 3, 4}, 0},
		}}
	}
	if err := sound().Verify(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(p *Plan){
		"overlap":      func(p *Plan) { p.Items[1].Offset = 64 },
		"misaligned":   func(p *Plan) { p.Items[1].Offset = 132 },
		"outside":      func(p *Plan) { p.Items[1].Offset = 256 },
		"negative":     func(p *Plan) { p.Items[0].Offset = -64 },
		"small arena":  func(p *Plan) { p.Bytes = 130 },
		"longer lived": func(p *Plan) { p.Items[0].Last = 3 },
		"wrapping":     func(p *Plan) { p.Items[1].Bytes = math.MaxInt },
	} {
		p := sound()
		spoil(p)
		if err := p.Verify(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// randomItems makes a sequence like a network's: short lives, a few long ones.
func randomItems(r *rand.Rand, n int) []Item {
	items := make([]Item, n)
	for i := range items {
		first := r.IntN(n)
		last := first + r.IntN(4)
		if r.IntN(8) == 0 {
			last = first + r.IntN(n)
		}
		items[i] = Item{fmt.Sprint(i), r.IntN(10000), first, last}
	}
	return items
}

func TestRandomPlansAreSound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		items := randomItems(r, 1+r.IntN(120))
		p, err := Build(items)
		if err != nil {
			t.Fatal(err)
		}
		if p.Bytes < p.LowerBound {
			t.Fatalf("arena %d below the lower bound %d", p.Bytes, p.LowerBound)
		}
		if p.LowerBound > 0 && float64(p.Bytes) > 1.7*float64(p.LowerBound) {
			t.Errorf("arena %d is far above the lower bound %d", p.Bytes, p.LowerBound)
		}
	}
}

func FuzzBuild(f *testing.F) {
	f.Add(uint64(1), uint8(9))
	f.Add(uint64(77), uint8(200))
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		r := rand.New(rand.NewPCG(seed, 3))
		items := randomItems(r, int(n)+1)
		p, err := Build(items)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(); err != nil {
			t.Fatal(err)
		}
	})
}
