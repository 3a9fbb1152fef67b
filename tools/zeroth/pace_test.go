package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"zeroth/runtime/platform"
)

// scriptedPacer meets the conditions one after the other, and counts its waits.
func scriptedPacer(p pacer, script ...platform.Conditions) (*pacer, *int) {
	waits, clock := 0, time.Unix(1000, 0)
	p.now = func() time.Time { return clock }
	p.sleep = func(ctx context.Context, d time.Duration) error {
		waits++
		clock = clock.Add(d)
		return ctx.Err()
	}
	p.conditions = func() platform.Conditions {
		c := script[0]
		if len(script) > 1 {
			script = script[1:]
		}
		return c
	}
	return &p, &waits
}

func TestPacer(t *testing.T) {
	warm := func(celsius float64) platform.Conditions {
		return platform.Conditions{Celsius: celsius, Sensor: "skin", Battery: -1}
	}
	battery := func(percent int, charging bool) platform.Conditions {
		return platform.Conditions{Celsius: 30, Battery: percent, Charging: charging}
	}
	hot, low := pacer{maxTemp: 45}, pacer{minBattery: 20}
	for name, c := range map[string]struct {
		pacer  pacer
		script []platform.Conditions
		waits  int
		reason string
	}{
		"cool":                   {hot, []platform.Conditions{warm(45)}, 0, ""},
		"hot":                    {hot, []platform.Conditions{warm(45.1), warm(44), warm(43.1), warm(43)}, 3, "skin has 45.1 °C, --max-temp is 45"},
		"no limit":               {pacer{}, []platform.Conditions{warm(99)}, 0, ""},
		"charge":                 {low, []platform.Conditions{battery(20, false)}, 0, ""},
		"little charge":          {low, []platform.Conditions{battery(19, false), battery(21, false), battery(22, false)}, 2, "the battery has 19 %, --min-battery is 20"},
		"little charge, plugged": {low, []platform.Conditions{battery(3, true)}, 0, ""},
		"plugged in the pause":   {low, []platform.Conditions{battery(3, false), battery(3, true)}, 1, "the battery has 3 %"},
		"hot, then low":          {pacer{maxTemp: 45, minBattery: 20}, []platform.Conditions{warm(50), battery(10, false), battery(30, false)}, 2, "skin has 50.0 °C"},
	} {
		p, waits := scriptedPacer(c.pacer, c.script...)
		var said []string
		err := p.wait(t.Context(), func(reason string) error { said = append(said, reason); return nil }, func(time.Duration) { said = append(said, "on") })
		switch {
		case err != nil || *waits != c.waits:
			t.Errorf("%s: %d waits, want %d, %v", name, *waits, c.waits, err)
		case c.reason == "" && len(said) > 0, c.reason != "" && (len(said) != 2 || !strings.HasPrefix(said[0], c.reason)):
			t.Errorf("%s: %q", name, said)
		}
	}
}

func TestPacerEndsWithItsContext(t *testing.T) {
	p, _ := scriptedPacer(pacer{maxTemp: 45}, platform.Conditions{Celsius: 80})
	ctx, cancel := context.WithCancel(t.Context())
	err := p.wait(ctx, func(string) error { cancel(); return nil }, func(time.Duration) { t.Error("it went on") })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestReadBytes(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "600M": 600 << 20, "1.5g": 3 << 29, "12k": 12 << 10, "1024G": 1 << 40} {
		if got, err := readBytes(text); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "M", "0", "-1M", "1T", "1MM", "NaN", "Inf", "1025G", "1e30"} {
		if got, err := readBytes(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

func TestLargest(t *testing.T) {
	for most := range 20 {
		for limit := range 22 {
			var asked []int
			got := largest(most, func(n int) bool { asked = append(asked, n); return n <= limit })
			if want := min(most, limit); got != want || slices.Contains(asked, 0) {
				t.Errorf("largest of %d up to %d is %d; asked %v", most, limit, got, asked)
			}
		}
	}
}
