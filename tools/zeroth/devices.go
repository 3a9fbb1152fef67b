package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"zeroth/internal/bytesize"
	"zeroth/kernels/conformance"
	"zeroth/kernels/cpu"
	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl"
	"zeroth/kernels/plugin"
	"zeroth/kernels/vulkan"
	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"

	"github.com/klauspost/cpuid/v2"
	"github.com/urfave/cli/v2"
)

// device is something that programs can run on: a processor, a device that
// Vulkan or OpenCL lists, or a plug-in.
type device struct {
	Kind    string `json:"kind"`    // cpu, vulkan, opencl or plugin
	Name    string `json:"name"`    // as its maker calls it
	Backend string `json:"backend"` // what --backend calls it; empty where nothing runs on it
	System  string `json:"system"`  // GOOS/GOARCH
	Memory  int64  `json:"memory_bytes"`

	*processor
	*accelerator
	*pluginDevice
}

// accelerator is what is told of a device that Vulkan or OpenCL lists.
type accelerator struct {
	Type   string    `json:"type"`   // discrete, integrated, virtual, gpu, cpu, accelerator or other
	API    string    `json:"api"`    // the version of Vulkan or OpenCL that it supports
	Driver string    `json:"driver"` // name and version
	Heaps  []vk.Heap `json:"heaps,omitempty"`
	Can    any       `json:"can"`    // vk.Features or cl.Features
	Limits any       `json:"limits"` // vk.Limits or cl.Limits
	// Products says what matrix products are computed with, f32 apart; empty where
	// there is nothing else.
	Products string `json:"products,omitempty"`
	// Store16 says that activations are stored there as f16.
	Store16 bool `json:"store16,omitempty"`
	// Unusable says why no program can run there; empty where one can.
	Unusable string `json:"unusable"`

	known             bool     // the device could be described
	memory            []string // in words
	abilities, limits string
}

// processor is what is told of a processor beside.
type processor struct {
	Clusters     []platform.Cluster `json:"clusters"`
	Threads      int                `json:"threads"`       // without --threads and --cpus
	Features     []string           `json:"features"`      // instruction sets that the machine has
	FeaturesFrom string             `json:"features_from"` // where that was read
	Limit        string             `json:"limit"`         // the value of ZEROTH_CPU
	Level        string             `json:"level"`         // the instruction sets that the kernels use
	Why          string             `json:"why"`           // why that level
	Kernels      []pickedKernel     `json:"kernels"`
}

// pickedKernel is the kernel that an op gets.
type pickedKernel struct {
	Op      string   `json:"op"`
	Weights []string `json:"weights"` // element types of the weights, or of all values where there are none
	Kernel  string   `json:"kernel"`
}

func devicesCommand() *cli.Command {
	return &cli.Command{
		Name: "devices", Usage: "show what programs can run on here, and which kernels are used", UsageText: "zeroth devices [flags]",
		Description: "The environment variable " + cpu.LimitVariable + " caps the instruction sets, at one of\n" + strings.Join(cpu.Levels(), ", ") + ".\n" +
			vulkan.ArithmeticVariable + " chooses what products are computed with on devices of Vulkan: a list of dot (products of\n" +
			"bytes), coop and coop8 (cooperative matrices of f16 and of bytes), be they quick or not, and fp16\n" +
			"(those of f16 for weights of f32 and bf16 too, whose products lose by it), and " + gpu.WayStore16 + " (activations are\n" +
			"stored as f16, which takes half the memory and digits from the losses).\n" +
			"With \"no\" before it, one is not used.\n" +
			opencl.ArithmeticVariable + " is the same for devices of OpenCL, which have dot and " + gpu.WayStore16 + ".",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print all as JSON", DisableDefaultText: true}, pluginFlag()},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			plugins, err := readPlugins(c)
			if err != nil {
				return err
			}
			return runDevices(plugins, c.Bool("json"), c.App.Writer)
		},
	}
}

func runDevices(plugins func() ([]*plugin.Plugin, error), asJSON bool, stdout io.Writer) error {
	processor, err := processorDevice()
	if err != nil {
		return err
	}
	loaded, err := plugins()
	if err != nil {
		return err
	}
	onVulkan, err := vulkanArithmetic()
	if err != nil {
		return err
	}
	onOpenCL, err := openclArithmetic()
	if err != nil {
		return err
	}
	devices := slices.Concat([]device{processor}, vulkanDevices(onVulkan), openclDevices(onOpenCL))
	for _, p := range loaded {
		devices = append(devices, describePlugin(p))
	}
	if asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(map[string]any{"devices": devices})
	}
	for _, d := range devices {
		if err := d.print(stdout); err != nil {
			return err
		}
	}
	return nil
}

// processorDevice describes this machine's processor.
func processorDevice() (device, error) {
	features, err := cpu.DetectLimited()
	if err != nil {
		return device{}, usageError{err}
	}
	picked, err := pickedKernels(cpu.Kernels(features))
	if err != nil {
		return device{}, err
	}
	clusters := platform.Clusters()
	return device{
		Kind: "cpu", Name: processorName(clusters), Backend: "cpu", System: systemName(), Memory: physicalBytes(),
		processor: &processor{
			Clusters: withCaches(clusters), Threads: runtime.GOMAXPROCS(0),
			Features: cpu.Detect().Reached()[1:], FeaturesFrom: cpu.DetectedFrom(),
			Limit: os.Getenv(cpu.LimitVariable), Level: cpu.Used(features).String(),
			Why:     levelReason(cpu.Detect(), features),
			Kernels: picked,
		},
	}, nil
}

func systemName() string { return runtime.GOOS + "/" + runtime.GOARCH }

// levelReason says why kernels use what they use, on a machine of some features
// that were limited.
func levelReason(detected, limited cpu.Features) string {
	reaches := "the machine reaches " + detected.String()
	capped := limited.String() != detected.String()
	if cpu.Used(limited).String() != limited.String() {
		if capped {
			return fmt.Sprintf("the highest that kernels are written for, up to %s=%s; %s", cpu.LimitVariable, limited, reaches)
		}
		return "the highest that kernels are written for; " + reaches
	}
	if capped {
		return fmt.Sprintf("%s=%s holds it down; %s", cpu.LimitVariable, limited, reaches)
	}
	return "the highest that the machine reaches"
}

// processorName is the name that the processor gives itself, or what its cores
// are.
func processorName(clusters []platform.Cluster) string {
	if cpuid.CPU.BrandName != "" {
		return cpuid.CPU.BrandName
	}
	var cores []string
	for _, c := range clusters {
		if c.Core != "" {
			cores = append(cores, fmt.Sprintf("%d × %s", len(c.CPUs), c.Core))
		}
	}
	if len(cores) > 0 {
		return strings.Join(cores, ", ")
	}
	return "unnamed"
}

// withCaches fills in what the processor says of its caches where the system
// says nothing and all cores are alike.
func withCaches(clusters []platform.Cluster) []platform.Cluster {
	if c := &clusters[0]; len(clusters) == 1 && c.L1dBytes == 0 && c.L2Bytes == 0 && c.L3Bytes == 0 {
		cache := cpuid.CPU.Cache
		c.L1dBytes, c.L2Bytes, c.L3Bytes = int64(max(cache.L1D, 0)), int64(max(cache.L2, 0)), int64(max(cache.L3, 0))
	}
	return clusters
}

// pickedKernels lists which kernel each op gets for each type of weights that
// the suite has cases for. Types of one op with the same kernel share an entry.
func pickedKernels(kernels []kernel.Kernel) ([]pickedKernel, error) {
	registry, err := kernel.NewRegistry(kernels)
	if err != nil {
		return nil, err
	}
	var list []pickedKernel
	for _, c := range conformance.Cases() {
		k, err := registry.Pick(c.Op, c.Types(), c.Attrs)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(p pickedKernel) bool { return p.Op == c.Op.String() && p.Kernel == k.Name })
		if i < 0 {
			i = len(list)
			list = append(list, pickedKernel{Op: c.Op.String(), Kernel: k.Name})
		}
		if w := weightType(c.Types()).String(); !slices.Contains(list[i].Weights, w) {
			list[i].Weights = append(list[i].Weights, w)
		}
	}
	slices.SortStableFunc(list, func(a, b pickedKernel) int { return strings.Compare(a.Op, b.Op) })
	return list, nil
}

// weightType is the element type of an op's weights: the packed one, if it has
// any.
func weightType(types []op.Type) op.DType {
	for _, t := range types {
		if t.DType != op.F32 && slices.Contains(op.WeightTypes(), t.DType) {
			return t.DType
		}
	}
	return op.F32
}

func (d device) print(stdout io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", d.Kind, d.Name)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name, format string, values ...any) { fmt.Fprintf(w, "  "+name+"\t"+format+"\n", values...) }
	row("backend", "%s", cmp.Or(d.Backend, "none"))
	row("system", "%s", d.System)
	switch {
	case d.processor != nil:
		d.printProcessor(w, row)
	case d.pluginDevice != nil:
		d.printPlugin(row)
	default:
		d.printAccelerator(row)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}

func (d device) printAccelerator(row func(name, format string, values ...any)) {
	if d.Unusable != "" {
		row("unusable", "%s", d.Unusable)
	}
	if !d.known {
		return
	}
	row("type", "%s", d.Type)
	row(d.Kind, "%s", d.API)
	row("driver", "%s", d.Driver)
	for _, m := range d.memory {
		row("memory", "%s", m)
	}
	row("can", "%s", cmp.Or(d.abilities, "f32 and 32-bit integers alone"))
	if d.Products != "" {
		row("products", "%s; all others by f32", d.Products)
	}
	if d.Store16 {
		row("stored", "activations as f16")
	}
	row("limits", "%s", d.limits)
}

// undescribed stands for the devices of a kind that could not be listed.
func undescribed(kind string, err error) []device {
	return []device{{Kind: kind, Name: "unknown", System: systemName(), accelerator: &accelerator{Unusable: err.Error()}}}
}

// ability is something that a device may be able to do.
type ability struct {
	has  bool
	what string
}

// inWords lists the abilities that a device has.
func inWords(abilities ...ability) string {
	var list []string
	for _, a := range abilities {
		if a.has {
			list = append(list, a.what)
		}
	}
	return strings.Join(list, ", ")
}

func (d device) printProcessor(w io.Writer, row func(name, format string, values ...any)) {
	for _, c := range d.Clusters {
		row("cores", "%s", describeCluster(c))
	}
	row("memory", "%s", bytesize.Format(d.Memory))
	row("threads", "%d, unless --threads or --cpus says otherwise", d.Threads)
	row("features", "%s; from %s", cmp.Or(strings.Join(d.Features, ", "), "none that kernels use"), d.FeaturesFrom)
	row("level", "%s: %s", d.Level, d.Why)
	fmt.Fprintln(w, "\n  op\tweights\tkernel")
	for _, k := range d.Kernels {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", k.Op, strings.Join(k.Weights, ", "), k.Kernel)
	}
}

// describeCluster shows "3 (CPUs 4-6) Cortex-A78, capacity 871, 2.42 GHz, L1d 64 KiB".
func describeCluster(c platform.Cluster) string {
	parts := []string{strings.TrimSpace(fmt.Sprintf("%d (CPUs %s) %s", len(c.CPUs), c.CPUs, c.Core))}
	if c.Capacity > 0 {
		parts = append(parts, fmt.Sprintf("capacity %d", c.Capacity))
	}
	if c.MaxKHz > 0 {
		parts = append(parts, fmt.Sprintf("%.2f GHz", float64(c.MaxKHz)/1e6))
	}
	for _, cache := range []struct {
		name  string
		bytes int64
	}{{"L1d", c.L1dBytes}, {"L2", c.L2Bytes}, {"L3", c.L3Bytes}} {
		if cache.bytes > 0 {
			parts = append(parts, cache.name+" "+bytesize.Format(cache.bytes))
		}
	}
	return strings.Join(parts, ", ")
}
