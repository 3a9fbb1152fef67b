package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"zeroth/kernels/cpu"
	"zeroth/runtime/op"
	"zeroth/tools/bench"
	"zeroth/tools/openblas"

	"github.com/urfave/cli/v2"
)

// gemmReport is what "bench gemm" prints.
type gemmReport struct {
	Machine  bench.Machine `json:"machine"`
	BLAS     *bench.BLAS   `json:"blas,omitempty"`
	Products []bench.GEMM  `json:"products"`
}

func benchGEMMCommand() *cli.Command {
	flags := append([]cli.Flag{
		&cli.StringFlag{Name: "shapes", Usage: "a `LIST` of rows×K×outputs such as 2048x64x172", DefaultText: "2048 rows and the layers of TinyLlama, and two small ones"},
		&cli.StringFlag{Name: "weights", Usage: "a `LIST` of element types of the weights", DefaultText: "all: " + weightNames()},
		&cli.StringFlag{Name: "backend", Value: "cpu", Usage: "`NAME` of what is measured: cpu, or vulkan:0, a device of zeroth devices"},
		&cli.BoolFlag{Name: "every", Usage: "time the kernels of every instruction set, not only the best", DisableDefaultText: true},
	}, benchFlags(1, "for each product")...)
	return &cli.Command{
		Name: "gemm", Usage: "time matrix products against the measured ceiling of their instruction",
		UsageText: "zeroth bench gemm [flags]",
		Description: "Times the op Linear with weights of each type: what quantises activations is part of it.\n" +
			"A multiply-add counts two operations. The ceiling is a loop of nothing but the kernel's\n" +
			"instruction on as many threads, run in turn with it; by CPU time neighbours count less, and so\n" +
			"does waiting. Beside it runs the micro-kernel alone on one tile in the first cache: what that\n" +
			"lacks no blocking can give, what the product lacks of it is the blocking's. Where OpenBLAS is\n" +
			"installed, its sgemm computes the same products on f32 weights in the same rounds;\n" +
			"OPENBLAS_CORETYPE chooses its kernels (Haswell for AVX2, SkylakeX for AVX-512).\n\n" +
			"On a device of Vulkan each product is timed in every tile, without what rounds x for it, and\n" +
			"held against loops of the instructions that ZEROTH_VULKAN leaves it.",
		Flags: flags,
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return runBenchGEMM(c)
		},
	}
}

func weightNames() string {
	var names []string
	for _, d := range op.WeightTypes() {
		names = append(names, d.String())
	}
	return strings.Join(names, ",")
}

func runBenchGEMM(c *cli.Context) error {
	m, err := readMeasuring(c)
	if err != nil {
		return err
	}
	o := bench.GEMMOptions{Workers: m.Workers, Budget: m.Budget, Weights: op.WeightTypes(), Shapes: bench.GEMMShapes()}
	if c.IsSet("shapes") {
		if o.Shapes, err = parseShapes(c.String("shapes")); err != nil {
			return err
		}
	}
	if c.IsSet("weights") {
		if o.Weights, err = parseWeights(c.String("weights")); err != nil {
			return err
		}
	}
	if name := c.String("backend"); name != "cpu" {
		index, ok := deviceIndex(vulkanName, name)
		if !ok {
			return usagef("--backend %s: products are timed on cpu or vulkan:N", name)
		}
		return runBenchDevice(c, index, o, m)
	}
	if o.Features, err = levelsToTime(c.Bool("every")); err != nil {
		return err
	}
	report := gemmReport{BLAS: findBLAS(c.App.ErrWriter)}
	if report.Machine, err = m.machine(); err != nil {
		return err
	}
	o.BLAS = report.BLAS
	progress, finish := watch(c.App.ErrWriter)
	o.Progress = progress
	report.Products, err = bench.RunGEMM(c.Context, o)
	finish()
	if err != nil {
		return err
	}
	return m.show(c.App.Writer, report, func(b *strings.Builder) error { return printGEMM(b, report) })
}

// levelsToTime are the instruction sets of this machine within ZEROTH_CPU, best
// first: the one in use, or every one.
func levelsToTime(every bool) ([]cpu.Features, error) {
	best, err := cpu.DetectLimited()
	if err != nil {
		return nil, usageError{err}
	}
	list := []cpu.Features{best}
	if !every {
		return list, nil
	}
	levels := cpu.Levels()
	for i := len(levels) - 1; i >= 0; i-- {
		if f, err := best.Limit(levels[i]); err == nil && f != best {
			list = append(list, f)
		}
	}
	return list, nil
}

// mostElements bounds a matrix of a shape that a user asks for.
const mostElements = 1 << 28

// parseShapes reads a list such as "2048x64x172,16x288x768".
func parseShapes(text string) ([]bench.Shape, error) {
	var shapes []bench.Shape
	for _, part := range strings.Split(text, ",") {
		fields := strings.FieldsFunc(strings.TrimSpace(part), func(r rune) bool { return r == 'x' || r == '×' })
		var n [3]int
		ok := len(fields) == len(n)
		for i := 0; ok && i < len(n); i++ {
			v, err := strconv.Atoi(fields[i])
			ok = err == nil && v >= 1 && v <= op.MaxInnerI8
			n[i] = v
		}
		if !ok || n[0]*n[1] > mostElements || n[0]*n[2] > mostElements || n[1]*n[2] > mostElements {
			return nil, usagef("--shapes: %q is not rows×K×outputs such as 2048x64x172, each 1 to %d and no matrix above %d elements",
				part, op.MaxInnerI8, mostElements)
		}
		shapes = append(shapes, bench.Shape{Rows: n[0], K: n[1], Outputs: n[2]})
	}
	return shapes, nil
}

func parseWeights(text string) ([]op.DType, error) {
	var list []op.DType
	for _, name := range strings.Split(text, ",") {
		d, err := op.ParseDType(strings.TrimSpace(name))
		if err != nil || !d.Weight() {
			return nil, usagef("--weights: no type %q: choose among %s", name, weightNames())
		}
		list = append(list, d)
	}
	return list, nil
}

// findBLAS loads the machine's OpenBLAS, or says why it cannot be compared with.
func findBLAS(stderr io.Writer) *bench.BLAS {
	library, err := openblas.Open()
	if err != nil {
		fmt.Fprintf(stderr, "zeroth: notice: nothing to compare with: %v (Debian: apt-get install libopenblas0)\n", err)
		return nil
	}
	return &bench.BLAS{Name: library.Name(), Core: library.Core(), SetThreads: library.SetThreads, Sgemm: library.Sgemm}
}

func printGEMM(b *strings.Builder, r gemmReport) error {
	printMachine(b, r.Machine)
	head := "rows×K×outputs\tweights\tGop/s\tceiling\t%\tby CPU\tbest\ttile\tbest\tof i8"
	if r.BLAS != nil {
		fmt.Fprintf(b, "sgemm of %s, kernels for %s, on f32 weights\n", r.BLAS.Name, r.BLAS.Core)
		head += "\tsgemm"
	}
	var rows, against []string
	for _, p := range r.Products {
		m := p.MicroKernel
		row := fmt.Sprintf("%s\t%s\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%s", p.Shape, p.Weights, giga(p.OpsPerS), giga(p.Ceiling.OpsPerS),
			100*p.OfCeiling, 100*p.OfCeilingCPU, 100*p.AtBest, 100*m.OfCeiling, 100*m.AtBest, percentOrNone(p.OfI8))
		if r.BLAS != nil {
			row += fmt.Sprintf("\t%.2f", p.OfBLAS)
		}
		rows = append(rows, row+"\t  "+p.Kernel)
		if line := p.Kernel + " against " + p.Ceiling.Instruction; !slices.Contains(against, line) {
			against = append(against, line)
		}
	}
	if err := table(b, head+"\t  kernel", rows); err != nil {
		return err
	}
	fmt.Fprintf(b, "\n%%       of the ceiling: by the clock, by CPU time, and by CPU time of the best turn of each\n"+
		"tile    the micro-kernel alone on data in the first cache, in %% of the ceiling: by CPU time, and of the best turns\n"+
		"of i8   in %% of the ceiling of i8 weights, by CPU time\n")
	if r.BLAS != nil {
		b.WriteString("sgemm   how many times as quick as the library\n")
	}
	b.WriteString("ceiling " + strings.Join(against, "\n        ") + "\n")
	return nil
}

// percentOrNone is a share in percent, where there is one.
func percentOrNone(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", 100*v)
}
