package compare

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"zeroth/kernels/cpu"
	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan"
	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// faulty is a device of which one product is wrong: that of a site's weights,
// which follows the site's perturbed B.
type faulty struct {
	gpu.Device
	site  uint32
	spoil func(s *gpu.Stage, stages int)
}

func (d *faulty) Record(stages []gpu.Stage) (gpu.Recording, error) {
	spoilt := slices.Clone(stages)
	for i := range spoilt[:len(spoilt)-1] {
		if before, s := &spoilt[i], &spoilt[i+1]; before.Kernel.Name == "adapt" && s.Kernel.Name == "linear" {
			words := make([]uint32, gpu.MaxWords)
			if before.Extents(words); words[2] == d.site {
				s.Spans = slices.Clone(s.Spans)
				d.spoil(s, len(stages))
			}
		}
	}
	return d.Device.Record(spoilt)
}

// What goes wrong in a device's own memory is found, and its node named: a tile at
// the edge that is too small, alone and in a run; bytes that only the run's
// recording reads from elsewhere, in the run.
func TestFindsFaultsOfDevices(t *testing.T) {
	const site = 10
	device, err := vulkan.Open(vulkan.Options{Cache: t.TempDir()})
	if errors.Is(err, vk.ErrUnavailable) || errors.Is(err, vulkan.ErrDevice) || errors.Is(err, vk.ErrUnusable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	w, _ := lossesOf(t, reviews(t, op.F32))
	_, at := nodeOf(t, w.Program, op.LinearLoRA, func(_ []op.Type, a op.Attrs) bool { return a.Int("site") == site })
	registry, err := kernel.NewRegistry(cpu.Kernels(cpu.Detect()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(s *gpu.Stage, stages int)
		alone bool
	}{
		{"the last tile is a column too narrow", func(s *gpu.Stage, _ int) {
			const rows = 4 // the parameter that says how many rows W has
			extents := s.Extents
			s.Extents = func(words []uint32) int {
				groups := extents(words)
				words[rows]--
				return groups
			}
		}, true},
		{"the run reads 256 bytes further on", func(s *gpu.Stage, stages int) {
			if stages > 20 {
				s.Spans[0] = s.Spans[0].Part(gpu.Alignment, s.Spans[0].Size-gpu.Alignment)
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ops, err := gpu.New("vulkan", &faulty{device, site, c.spoil}, gpu.Options{})
			if err != nil {
				t.Fatal(err)
			}
			tested := func(p *program.Program, bounds op.Extents, keep bool, methods ...string) (*executor.Session, error) {
				return executor.New(p, registry, executor.Options{Bounds: bounds, Threads: 1, KeepValues: keep, Methods: methods, Delegate: ops.Delegate("vulkan:0")})
			}
			nodes, err := Walk(context.Background(), w, tested, engine(t, cpu.Kernels(cpu.Detect())), nil)
			if err != nil {
				t.Fatal(err)
			}
			alone, inRun := Faulty(nodes), FaultyInRun(nodes)
			if c.alone != (len(alone) == 1 && alone[0].Index == at) || !c.alone && len(alone) > 0 {
				t.Errorf("alone the fault is in %v, it was planted in node %d", alone, at)
			}
			if len(inRun) == 0 || inRun[0].Index != at {
				t.Errorf("in the run it is first seen in %v, it was planted in node %d", inRun, at)
			}
			report := Report{Nodes: nodes}
			if v := report.Verdict(); !strings.HasPrefix(v, nodes[at].String()) {
				t.Errorf("verdict %q, node %d is meant", v, at)
			}
		})
	}
}
