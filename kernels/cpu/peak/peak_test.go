package peak

import (
	"testing"

	"zeroth/kernels/cpu"
)

// has reports whether this machine reaches a level.
func has(level string) bool {
	_, err := cpu.Detect().Limit(level)
	return err == nil
}

func TestLoopsMeasure(t *testing.T) {
	loops := Loops(has)
	if last := loops[len(loops)-1]; last.Needs != "generic" {
		t.Errorf("the last loop is %s of level %s, not plain Go", last.Name, last.Needs)
	}
	seen := make(map[string]bool)
	for _, loop := range loops {
		if seen[loop.Name] {
			t.Errorf("%s is listed twice", loop.Name)
		}
		seen[loop.Name] = true
		loop.Run(0)
		if f := OnCore(loop); f <= 1e6 {
			t.Errorf("%s: %g operations a second", loop.Name, f)
		}
	}
}

// Without any level only plain Go is left.
func TestLoopsWithoutLevels(t *testing.T) {
	if loops := Loops(func(string) bool { return false }); len(loops) != 1 || loops[0].Needs != "generic" {
		t.Errorf("loops of a machine that has nothing: %v", loops)
	}
}

func TestReadTakesAnyLength(t *testing.T) {
	data := make([]byte, 3*blockBytes+17)
	for _, level := range []string{"generic", cpu.Detect().String()} {
		for _, n := range []int{0, 1, blockBytes - 1, blockBytes, len(data)} {
			Read(level, data[len(data)-n:])
		}
	}
}

func TestMemoryCeilingIsPositive(t *testing.T) {
	if c := Copy(); c <= 1e6 {
		t.Errorf("ceiling %g bytes a second", c)
	}
}
