package gpu

import (
	"encoding/binary"
	"slices"

	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// Ops computes ops on a device.
type Ops struct {
	name   string
	device Device
	// table is noise.QuantileTable; it stands in for buffers that a kernel does
	// not use, too.
	table   Span
	options Options
	tuner   *tuner // nil: tiles are the usual ones
}

// Options say how ops are computed.
type Options struct {
	Tile Tile // of all products; none: the best, or the usual one
	// Slots is the most roundings of a row of x that a tile of a product holds, at
	// least 3; 0: as many as tiles are good for.
	Slots int
	// Tune tries which tiles are best, and keeps that in the user's cache.
	Tune bool
}

// New gives the ops of a device, which must live as long. The name is the
// backend's: kernels are called after it.
func New(name string, d Device, options Options) (*Ops, error) {
	table := noise.QuantileTable()
	bytes := make([]byte, 0, 4*len(table))
	for _, q := range table {
		bytes = binary.LittleEndian.AppendUint32(bytes, uint32(q))
	}
	buffer, err := d.Allocate(int64(len(bytes)), Local)
	if err != nil {
		return nil, err
	}
	o := &Ops{name: name, device: d, options: options, table: Span{Buffer: buffer, Size: int64(len(bytes))}}
	if err := d.Upload(o.table, bytes); err != nil {
		buffer.Free()
		return nil, err
	}
	if tuned, ok := d.(Tuned); ok && options.Tune && tuned.TuningName() != "" {
		store := newTileStore(tuned.TuningName())
		o.tuner = &tuner{best: store.load(), untried: make(map[class]bool), store: store}
	}
	return o, nil
}

// builders make the stages of each op but the tangents, which are left to the CPU.
// They take whatever the op allows.
var builders = map[op.ID]func(b *builder){
	op.Gather:             buildGather,
	op.RMSNormalization:   buildNormalization,
	op.Linear:             buildLinear,
	op.LinearLoRA:         buildLinearLoRA,
	op.RotaryEmbedding:    buildRotary,
	op.Attention:          buildAttention,
	op.SwiGLU:             buildElementwise(functionSwiGLU),
	op.Add:                buildElementwise(functionAdd),
	op.CrossEntropyHead:   buildCrossEntropyHead,
	op.WeightedSum:        buildWeightedSum,
	op.ChoiceLoss:         buildChoiceLoss,
	op.UpdateLoRA:         buildUpdateLoRA,
	op.LayerNormalization: buildNormalization,
	op.Gelu:               buildElementwise(functionGelu),
	op.Relu:               buildElementwise(functionRelu),
	op.Slice:              buildSlice,
	op.Perturb:            buildPerturb,
}

// Kernels are the device's kernels of the ops that it has, on tensors in host
// memory: each call is a partition of its own, with guards around all that it may
// write.
func (o *Ops) Kernels() []kernel.Kernel {
	checked := *o
	checked.device = guarded{o.device}
	all := backend.Kernels(checked.Delegate(o.name), o.name, 100)
	if o.device.Limits().Arithmetic.Store16 {
		for i := range all {
			all[i].Half = activations[all[i].Op]
		}
	}
	return slices.DeleteFunc(all, func(k kernel.Kernel) bool { return builders[k.Op] == nil })
}
