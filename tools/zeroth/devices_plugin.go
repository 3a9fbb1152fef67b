package main

import (
	"slices"
	"strings"

	"zeroth/kernels/conformance"
	"zeroth/kernels/plugin"
	"zeroth/runtime/kernel"
)

// pluginDevice is what is told of a plug-in.
type pluginDevice struct {
	Library string   `json:"library"`
	Version string   `json:"version"`
	Score   int      `json:"score"`
	Levels  []string `json:"levels"`
	Ops     []string `json:"ops"`   // of which it takes some node as a kernel
	Parts   []string `json:"parts"` // of which it takes some node into partitions
}

func describePlugin(p *plugin.Plugin) device {
	return device{
		Kind: "plugin", Name: p.About(), Backend: pluginPrefix + p.Name(), System: systemName(), Memory: physicalBytes(),
		pluginDevice: &pluginDevice{
			Library: p.Path(), Version: p.Version(), Score: p.Score(), Levels: p.Levels(),
			Ops: takenOps(p.Kernels()), Parts: takenOps(p.DelegateKernels()),
		},
	}
}

// takenOps lists the ops of which kernels take a case of the suite.
func takenOps(kernels []kernel.Kernel) []string {
	ops := []string{}
	for _, c := range conformance.Cases() {
		name := c.Op.String()
		if slices.Contains(ops, name) {
			continue
		}
		for _, k := range kernels {
			if k.Op == c.Op && k.Supports(c.Types(), c.Attrs) {
				ops = append(ops, name)
				break
			}
		}
	}
	return ops
}

func (d *pluginDevice) printPlugin(row func(name, format string, values ...any)) {
	row("library", "%s, version %s", d.Library, d.Version)
	row("score", "%d of 1000", d.Score)
	if len(d.Ops) > 0 {
		row("kernels", "%s", strings.Join(d.Ops, ", "))
	}
	if len(d.Parts) > 0 {
		row("delegate", "%s", strings.Join(d.Parts, ", "))
	}
}
