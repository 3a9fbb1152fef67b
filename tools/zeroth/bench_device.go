package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan"
	"zeroth/runtime/op"
	"zeroth/tools/bench"

	"github.com/urfave/cli/v2"
)

// deviceReport is what "bench gemm" prints of a device of Vulkan.
type deviceReport struct {
	Device   string          `json:"device"`
	Driver   string          `json:"driver"`
	Peaks    []gpu.Peak      `json:"peaks"`
	Products []deviceProduct `json:"products"`
}

// deviceProduct is a product in the best tile.
type deviceProduct struct {
	bench.Shape
	Weights   string  `json:"weights"`
	Kernel    string  `json:"kernel"`
	Tile      string  `json:"tile"` // rows of x by rows of W: the quickest of those timed
	Tiles     int     `json:"tiles"`
	Timed     int     `json:"tiles_timed"` // fewer where the device is slow
	OpsPerS   float64 `json:"ops_per_second"`
	OfCeiling float64 `json:"of_ceiling"`
	Against   string  `json:"against"`
}

// runBenchDevice times products on a device of Vulkan, each tile of them.
func runBenchDevice(c *cli.Context, index int, o bench.GEMMOptions, m measuring) error {
	arithmetic, err := vulkanArithmetic()
	if err != nil {
		return err
	}
	d, err := vulkan.Open(vulkan.Options{Index: index, Arithmetic: arithmetic})
	if err != nil {
		return withHint(err, "zeroth devices lists what programs can run on")
	}
	// What is under way on a slow device cannot be stopped: where it does not end
	// soon after Ctrl-C, the device is left to the end of the process.
	report, left, err := gpu.Await(c.Context, func() (deviceReport, error) {
		return timeDevice(c.Context, d, o, c.App.ErrWriter)
	})
	if !left {
		d.Close()
	}
	if err != nil {
		return err
	}
	return m.show(c.App.Writer, report, func(b *strings.Builder) error { return printDevice(b, report) })
}

func timeDevice(ctx context.Context, d *vulkan.Device, o bench.GEMMOptions, stderr io.Writer) (deviceReport, error) {
	r := deviceReport{Device: d.Physical().Name, Driver: d.Physical().Driver}
	var err error
	if r.Peaks, err = d.Ops().Peaks(ctx); err == nil {
		r.Products, err = timeProducts(ctx, d.Ops(), o, r.Peaks, stderr)
	}
	return r, err
}

func timeProducts(ctx context.Context, ops *gpu.Ops, o bench.GEMMOptions, peaks []gpu.Peak, stderr io.Writer) ([]deviceProduct, error) {
	progress, finish := watch(stderr)
	defer finish()
	var list []deviceProduct
	for i, s := range o.Shapes {
		for k, weights := range o.Weights {
			progress(i*len(o.Weights)+k, len(o.Shapes)*len(o.Weights), fmt.Sprintf("%s %s", s, weights))
			w := op.Type{DType: weights, Layout: op.Panels16, Shape: []op.Dim{op.C(s.Outputs), op.C(s.K)}}
			t, err := ops.TimeProduct(ctx, w, s.Rows, max(o.Budget, time.Second))
			if err != nil {
				return nil, fmt.Errorf("%s, weights %s: %w", s, weights, err)
			}
			if t.Rows < s.Rows || t.Tried < t.Tiles {
				fmt.Fprintf(stderr, "zeroth: notice: the device is slow: %s, weights %s, is timed with %d rows, in %d of %d tiles (a larger --seconds allows more)\n",
					s, weights, t.Rows, t.Tried, t.Tiles)
			}
			p := deviceProduct{
				Shape: bench.Shape{Rows: t.Rows, K: s.K, Outputs: s.Outputs}, Weights: weights.String(), Kernel: t.Kernel, Tile: fmt.Sprintf("%d×%d", 8*t.Tile.A, 16*t.Tile.B),
				Tiles: t.Tiles, Timed: t.Tried, OpsPerS: 2 * float64(t.Rows) * float64(s.K) * float64(s.Outputs) / t.Seconds, Against: t.Against,
			}
			for _, peak := range peaks {
				if peak.Name == t.Against {
					p.OfCeiling = p.OpsPerS / peak.PerSecond
				}
			}
			list = append(list, p)
		}
	}
	return list, nil
}

func printDevice(b *strings.Builder, r deviceReport) error {
	fmt.Fprintf(b, "%s, %s\n", r.Device, r.Driver)
	var rows []string
	for _, p := range r.Peaks {
		rows = append(rows, fmt.Sprintf("%s\t  %s", giga(p.PerSecond), p.Name))
	}
	if err := table(b, "G/s\t  at best", rows); err != nil {
		return err
	}
	rows = nil
	for _, p := range r.Products {
		rows = append(rows, fmt.Sprintf("%d\t%d\t%d\t%s\t%s\t%s\t%s\t  %s against %s", p.Rows, p.K, p.Outputs, p.Weights, p.Tile,
			giga(p.OpsPerS), percent(p.OfCeiling), p.Kernel, p.Against))
	}
	return table(b, "rows\tK\toutputs\tweights\ttile\tGop/s\tof ceiling\t  kernel", rows)
}
