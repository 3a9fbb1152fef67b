package plugin

import (
	"errors"
	"fmt"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Preferred are the plug-in's kernels for a session. Where one cannot be bound
// or fails, without that being fatal, others compute the node: those of others
// that would have been picked. That is logged, and no kernel of that op is asked
// of the plug-in again. A plug-in that fails has left alone whatever the other
// kernel reads: zeroth_backend.h demands it. In a call's first run it must have
// written all of its outputs; where it has changed an input, the run fails.
func (p *Plugin) Preferred(others []kernel.Kernel) ([]kernel.Kernel, error) {
	registry, err := kernel.NewRegistry(others)
	if err != nil {
		return nil, err
	}
	own := p.Kernels()
	list := make([]kernel.Kernel, len(own))
	for i := range own {
		k := &own[i]
		pick := func(c *kernel.Call) (*kernel.Kernel, error) {
			types := make([]op.Type, len(c.In))
			for i, t := range c.In {
				types[i] = t.Type
			}
			return registry.Pick(c.Spec.ID, types, c.Attrs)
		}
		list[i] = *k
		list[i].Supports = func(in []op.Type, attrs op.Attrs) bool {
			_, err := registry.Pick(k.Op, in, attrs)
			return err == nil && !p.failed[k.Op].Load() && k.Supports(in, attrs)
		}
		list[i].Scratch = func(c *kernel.Call) int {
			bytes := k.Scratch(c)
			if other, err := pick(c); err == nil && other.Scratch != nil {
				bytes = max(bytes, other.Scratch(c))
			}
			return bytes
		}
		list[i].Bind = func(c *kernel.Call) (kernel.Runner, error) {
			other, err := pick(c)
			if err != nil {
				return nil, err
			}
			return p.bindPreferred(c, k, other)
		}
	}
	return list, nil
}

func (p *Plugin) bindPreferred(c *kernel.Call, own, other *kernel.Kernel) (kernel.Runner, error) {
	runner, err := other.Bind(c)
	if err != nil {
		return nil, err
	}
	first, err := own.Bind(c)
	switch {
	case err == nil:
		return &preferred{plugin: p, call: c, own: first, other: runner, otherName: other.Name}, nil
	case errors.Is(err, ErrFatal):
		return nil, err
	}
	p.abandon(c.Spec.ID, err, other.Name)
	return runner, nil
}

// abandon does without the plug-in for an op, and says so the first time.
func (p *Plugin) abandon(id op.ID, err error, other string) {
	if !p.failed[id].Swap(true) {
		p.log(fmt.Sprintf("%v; %s is left to %s from now on", err, id, other))
	}
}

// preferred is a call that two kernels are bound to.
type preferred struct {
	plugin     *Plugin
	call       *kernel.Call
	own, other kernel.Runner
	otherName  string
	watched    bool // the first run is over
}

// Run runs the plug-in's kernel, or the other one once that has failed.
func (r *preferred) Run() error {
	id := r.call.Spec.ID
	if r.plugin.failed[id].Load() {
		return r.other.Run()
	}
	err := r.run()
	if err == nil || errors.Is(err, ErrFatal) {
		return err
	}
	r.plugin.abandon(id, err, r.otherName)
	return r.other.Run()
}

func (r *preferred) run() error {
	if r.watched {
		return r.own.Run()
	}
	r.watched = true
	return watch(r.plugin.name, r.call, r.own.Run)
}
