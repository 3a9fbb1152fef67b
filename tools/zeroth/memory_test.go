package main

import (
	"errors"
	"path/filepath"
	"testing"

	"zeroth/internal/testdata"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// The estimate must not exceed what a session takes, or runs that fit would be
// refused, and must be near it, or the check would be worth nothing.
func TestLeastBytesIsNearWhatASessionTakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.zpt")
	o := exportOptions{From: testdata.Repo("third_party/reviews-1m"), Out: path, Quant: "f32", LoRA: defaultLoRA()}
	if err := runExport(t.Context(), o, t.Output(), t.Output()); err != nil {
		t.Fatal(err)
	}
	file, err := openProgram(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, bounds := range []op.Extents{
		{Width: 1, N: 16, S: 1, R: 1, K: 1, G: 1, Q: 1},
		{Width: 8, N: 256, S: 4, R: 8, K: 8, G: 4, Q: 4},
		{Width: 32, N: 500, S: 20, R: 500, K: 20, G: 20, Q: 16},
	} {
		s, err := (engine{Backend: "ref", Threads: 1}).session(file.Program, bounds, false, "losses", "forward", "update")
		if err != nil {
			t.Fatal(err)
		}
		outside := 0
		for _, name := range []string{"losses", "forward", "update"} {
			m := file.Program.Method(name)
			for _, v := range append(inputsOf(m), m.Outputs...) {
				n, err := m.Values[v].Type.Bytes(bounds)
				if err != nil {
					t.Fatal(err)
				}
				outside += n
			}
		}
		takes := float64(s.ArenaBytes() + outside)
		s.Close()
		least, err := leastBytes(file.Program, bounds, []string{"losses", "forward", "update"})
		if err != nil {
			t.Fatal(err)
		}
		if least > takes || least < takes/2 {
			t.Errorf("P %d, N %d: estimated %.0f bytes, a session takes %.0f", bounds.Width, bounds.N, least, takes)
		}
	}
	huge := op.Extents{Width: 2048, N: op.MaxDim, S: op.MaxDim, R: op.MaxDim, K: op.MaxDim, G: op.MaxDim, Q: 1024}
	if err := checkMemory(file.Program, huge, []string{"losses"}); !errors.Is(err, errMemory) {
		t.Errorf("the largest bounds: %v, want %v", err, errMemory)
	}
	huge.N = -1
	if err := checkMemory(file.Program, huge, []string{"losses"}); !errors.Is(err, errMemory) {
		t.Errorf("negative bounds: %v, want %v", err, errMemory)
	}
}

func inputsOf(m *program.Method) []int {
	var inputs []int
	for i, v := range m.Values {
		if v.Kind == program.Input {
			inputs = append(inputs, i)
		}
	}
	return inputs
}

func TestMemTotal(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"MemTotal:       24632168 kB\nMemFree: 1 kB\n", 24632168 << 10, true},
		{"MemFree: 1 kB\nMemTotal: 5 kB", 5 << 10, true},
		{"MemTotal: 5 MB\n", 0, false},
		{"MemTotal: -5 kB\n", 0, false},
		{"MemTotal: 99999999999999999999 kB\n", 0, false},
		{"", 0, false},
	} {
		have, ok := memTotal(c.text)
		if ok != c.ok || ok && have != c.want {
			t.Errorf("%q: %d %t, want %d %t", c.text, have, ok, c.want, c.ok)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	for _, c := range []struct {
		bytes int64
		want  string
	}{
		{0, "0 B"},
		{1023, "1023 B"},
		{1024, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{1 << 20, "1.0 MiB"},
		{5 << 30, "5.0 GiB"},
		{1 << 40, "1.0 TiB"},
		{1 << 60, "1048576.0 TiB"},
	} {
		if have := formatBytes(c.bytes); have != c.want {
			t.Errorf("%d: %s, want %s", c.bytes, have, c.want)
		}
	}
}
