package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"zeroth/kernels/plugin"
	"zeroth/runtime/backend"

	"github.com/urfave/cli/v2"
)

// pluginPrefix begins the names of backends that are plug-ins.
const pluginPrefix = "plugin:"

func isPlugin(name string) bool { return strings.HasPrefix(name, pluginPrefix) }

func pluginFlag() cli.Flag {
	return &cli.GenericFlag{
		Name: "plugin", Value: &libraries{},
		Usage: "load a vendor's kernels or delegate from `LIBRARY[,KEY=VALUE…]`, and prefer it where it takes a node; ./libx.so is a file, libx.so one of the system's; can be given several times",
	}
}

// libraries are the values of --plugin. A slice flag of the library would cut
// them at commas.
type libraries struct{ arguments []string }

func (l *libraries) Set(text string) error {
	l.arguments = append(l.arguments, text)
	return nil
}

func (l *libraries) String() string { return strings.Join(l.arguments, " ") }

// readPlugins reads --plugin. The libraries are loaded at the first call of the
// result, in their order.
func readPlugins(c *cli.Context) (func() ([]*plugin.Plugin, error), error) {
	var arguments []string
	if list, ok := c.Generic("plugin").(*libraries); ok {
		arguments = list.arguments
	}
	if name, found := strings.CutPrefix(c.String("backend"), pluginPrefix); found && strings.ContainsAny(name, `/\`) {
		arguments = append(arguments, name) // a file: it needs no --plugin beside
	}
	for _, argument := range arguments {
		if _, _, err := plugin.ParseArgument(argument); err != nil {
			return nil, usagef("--plugin: %w", err)
		}
	}
	stderr := c.App.ErrWriter
	return sync.OnceValues(func() ([]*plugin.Plugin, error) { return openPlugins(arguments, stderr) }), nil
}

func openPlugins(arguments []string, stderr io.Writer) ([]*plugin.Plugin, error) {
	var list []*plugin.Plugin
	for _, argument := range arguments {
		p, err := openPlugin(argument, stderr)
		if err != nil {
			return nil, err
		}
		for _, other := range list {
			if other.Name() == p.Name() {
				return nil, usagef("--plugin: %s and %s are both called %s", other.Path(), p.Path(), p.Name())
			}
		}
		list = append(list, p)
	}
	return list, nil
}

func openPlugin(argument string, stderr io.Writer) (*plugin.Plugin, error) {
	name, settings, err := plugin.ParseArgument(argument)
	if err != nil {
		return nil, usagef("--plugin: %w", err)
	}
	p, err := plugin.Open(name, plugin.Options{
		Settings: settings,
		Log:      func(line string) { fmt.Fprintln(stderr, "zeroth: plug-in:", line) },
	})
	if err != nil {
		return nil, withHint(err, "zeroth plugin check "+argument+" says what is missing")
	}
	return p, nil
}

// findPlugin finds "plugin:NAME" among the plug-ins given, by the name that one
// has for itself or by its file. The kernels are its own, as they are.
func findPlugin(backendName string, plugins func() ([]*plugin.Plugin, error)) (backend.Backend, error) {
	list, err := plugins()
	if err != nil {
		return backend.Backend{}, err
	}
	wanted := strings.TrimPrefix(backendName, pluginPrefix)
	var names []string
	for _, p := range list {
		if file, _, _ := strings.Cut(wanted, ","); wanted == p.Name() || file == p.Path() {
			return backend.Backend{
				Name: pluginPrefix + p.Name(), About: fmt.Sprintf("%s (%s, version %s)", p.About(), p.Path(), p.Version()),
				Kernels: append(p.Kernels(), p.DelegateKernels()...), Delegate: p.Delegate(),
			}, nil
		}
		names = append(names, pluginPrefix+p.Name())
	}
	if len(names) == 0 {
		return backend.Backend{}, withHint(usagef("no plug-in is given for backend %s", backendName), "load it by --plugin ./LIBRARY")
	}
	return backend.Backend{}, usagef("no plug-in called %q; --plugin gives %s", wanted, strings.Join(names, ", "))
}

// preferPlugins puts the plug-ins' kernels before the backend's own, and their
// delegate where that has none.
func preferPlugins(b backend.Backend, plugins []*plugin.Plugin) (backend.Backend, error) {
	own := b.Kernels
	for _, p := range plugins {
		kernels, err := p.Preferred(own)
		if err != nil {
			return b, err
		}
		b.Kernels = append(kernels, b.Kernels...)
		d := p.Delegate()
		switch {
		case d == nil:
		case b.Delegate == nil:
			b.Delegate = d
		case b.Delegate.Name() != d.Name():
			return b, usagef("two delegates, %s and %s: a program runs on one", b.Delegate.Name(), d.Name())
		}
	}
	return b, nil
}
