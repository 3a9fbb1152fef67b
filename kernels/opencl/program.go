package opencl

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"

	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
)

//go:embed kernels/*.cl
var sources embed.FS

// programKey tells programs apart: a kernel and what it is compiled for.
type programKey struct {
	kernel    string
	half      bool
	constants [gpu.MaxConstants]uint32
}

// built is a program of the device's.
type built struct {
	*cl.Program
	ran bool // some of it, so that a driver which compiles at the first run has done so
}

// source is the text of a kernel: its file with those that it includes put in
// their places.
func source(kernel string) (string, error) {
	var b strings.Builder
	err := include(&b, kernel+".cl", 0)
	return b.String(), err
}

// include appends a file, with those that it includes.
func include(b *strings.Builder, file string, depth int) error {
	text, err := sources.ReadFile("kernels/" + file)
	if err != nil {
		return err
	}
	if depth > 1 {
		return fmt.Errorf("%s is included by what is included", file)
	}
	for line := range strings.Lines(string(text)) {
		name, found := strings.CutPrefix(strings.TrimSpace(line), "#include ")
		if !found {
			b.WriteString(line)
			continue
		}
		if err := include(b, strings.Trim(name, `"`), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// packedDot is the macro of dot products of four bytes in a kernel.
const packedDot = "__opencl_c_integer_dot_product_input_4x8bit_packed"

// language is what a kernel is written in: OpenCL C 1.2, which the same kernel is in
// later ones, too. Those know dot products of bytes.
func language(p *cl.Physical, text string) string {
	if p.Features.IntegerDot && strings.Contains(text, packedDot) {
		switch p.Major() {
		case 1:
		case 2:
			return "CL2.0"
		default:
			return "CL3.0"
		}
	}
	return "CL1.2"
}

// buildOptions are the compiler's for a kernel on a device: C0, C1, … are the
// constants, HALF is defined where its activations are f16. Nothing is asked for that
// would let it change what is computed.
func buildOptions(p *cl.Physical, text string, half bool, constants []uint32) string {
	var b strings.Builder
	b.WriteString("-cl-std=" + language(p, text))
	if p.Kind == "cpu" {
		b.WriteString(" -D SHARED=__attribute__((noinline))")
	}
	if half {
		b.WriteString(" -D HALF=1")
	}
	for i, c := range constants {
		fmt.Fprintf(&b, " -D C%d=%d", i, c)
	}
	return b.String()
}

// Compile implements gpu.Device.
func (d *Device) Compile(ctx context.Context, k gpu.Kernel, constants []uint32) error {
	_, err := d.program(ctx, k, constants)
	return err
}

// program builds a kernel, once for the same constants. A binary that an earlier
// process has kept is taken if the driver takes it. A driver that is still at it
// when ctx is cancelled, or the time for it is over, is left to itself, and the
// device given up.
func (d *Device) program(ctx context.Context, k gpu.Kernel, constants []uint32) (*built, error) {
	key := programKey{kernel: k.Name, half: k.Half}
	copy(key.constants[:], constants)
	d.building.Lock()
	defer d.building.Unlock()
	if p, ok := d.programs[key]; ok {
		return p, nil
	}
	text, err := source(k.Name)
	if err != nil {
		return nil, err
	}
	options := buildOptions(d.device.Physical, text, k.Half, constants)
	if err := d.device.Broken(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.buildTimeout, fmt.Errorf("%w: it was not built within %s", cl.ErrTimeout, d.buildTimeout))
	defer cancel()
	p, left, err := gpu.Await(ctx, func() (*cl.Program, error) { return d.make(text, options) })
	if err != nil && errors.Is(err, ctx.Err()) {
		err = context.Cause(ctx)
	}
	if left {
		d.device.GiveUp(fmt.Errorf("its compiler was left at work: %w", err))
	}
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", k.Name, inGPU(err))
	}
	d.programs[key] = &built{Program: p}
	return d.programs[key], nil
}

// make loads a program, or builds and keeps it.
func (d *Device) make(text, options string) (*cl.Program, error) {
	p, err := d.load(text, options)
	if err != nil {
		if p, err = d.device.Build(text, options); err == nil {
			d.keep(p, text, options)
		}
	}
	return p, err
}

var errNotKept = errors.New("not kept")

// load makes a program of the binary that has been kept.
func (d *Device) load(text, options string) (*cl.Program, error) {
	binary, ok := d.cache.read(text, options)
	if !ok {
		return nil, errNotKept
	}
	return d.device.Load(binary, options)
}

// keep keeps the binary. Where it cannot be, it is built again next time. The driver
// is asked for it only then: that may take it longer than building did.
func (d *Device) keep(p *cl.Program, text, options string) {
	if !d.cache.keeps() {
		return
	}
	if binary, err := p.Binary(); err == nil {
		d.cache.write(text, options, binary)
	}
}
