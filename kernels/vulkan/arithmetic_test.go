package vulkan

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/ref"
	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

func TestParseArithmetic(t *testing.T) {
	for _, way := range ways {
		if _, err := ParseArithmetic(way + ",no" + way); err != nil {
			t.Error(err)
		}
	}
	if _, err := ParseArithmetic("dots"); !errors.Is(err, gpu.ErrChoice) {
		t.Errorf("%v", err)
	}
}

// Without a choice a device multiplies with what it says is quick; a processor that
// plays a GPU has nothing of that.
func TestUsualArithmetic(t *testing.T) {
	limits := vk.Limits{StorageBuffers: vk.MostBindings}
	plain := &vk.Physical{Kind: "cpu", Limits: limits, Features: vk.Features{IntegerDot: true, CooperativeMatrix: true}}
	if got := (Arithmetic{}).products(plain); got != (gpu.Arithmetic{}) {
		t.Errorf("%+v", got)
	}
	phone := &vk.Physical{Kind: "integrated", Limits: limits, Features: vk.Features{IntegerDot: true, FastIntegerDot: true}}
	if got := (Arithmetic{}).products(phone); got != (gpu.Arithmetic{Dot: true}) {
		t.Errorf("%+v", got)
	}
	phone.Limits.StorageBuffers = vk.LeastBindings
	if got := (Arithmetic{}).products(phone); got != (gpu.Arithmetic{}) {
		t.Errorf("with few buffers a shader: %+v", got)
	}
}

// Weights that f16 cannot hold are multiplied by other kernels where the device has
// matrices of f16, not as infinities.
func TestWeightsBeyondHalf(t *testing.T) {
	a, err := ParseArithmetic(wayCoop)
	if err != nil {
		t.Fatal(err)
	}
	d := openWith(t, Options{Arithmetic: a})
	if d.limits.Arithmetic.Half == (gpu.Matrix{}) {
		t.Skipf("%s has no matrices of f16", d.Physical().Name)
	}
	const N, M, K = 3, 16, 32
	constant := op.Type{DType: op.Q4, Layout: op.Panels16, Shape: []op.Dim{op.C(M), op.C(K)}}
	panels := constant.Panels()
	weights := make([]byte, panels.Bytes)
	rows, x := make([]float32, M*K), make([]byte, 4*N*K)
	for i := range rows {
		rows[i] = float32(i*37%15-7) * 60000
	}
	if err := quant.PanelOf(weights, &panels, 0).Encode(&panels, rows, M); err != nil {
		t.Fatal(err)
	}
	for i := range N * K {
		binary.LittleEndian.PutUint32(x[4*i:], math.Float32bits(float32(i%9)-4))
	}
	results := make([][]byte, 2)
	for i, kernels := range [][]kernel.Kernel{d.Kernels(), ref.Kernels()} {
		registry, err := kernel.NewRegistry(kernels)
		if err != nil {
			t.Fatal(err)
		}
		activations := func(columns int, data []byte) *kernel.Tensor {
			shape := []op.Dim{op.S(op.Tokens, 0), op.C(columns)}
			return &kernel.Tensor{Type: op.Type{DType: op.F32, Shape: shape}, Width: 1, Shape: []int{N, columns}, Data: data}
		}
		results[i] = make([]byte, 4*N*M)
		spec, _ := op.Lookup(op.Linear)
		call := &kernel.Call{
			Spec: spec, Out: []*kernel.Tensor{activations(M, results[i])},
			In: []*kernel.Tensor{activations(K, x), {Type: constant, Width: 1, Shape: []int{M, K}, Data: weights}},
		}
		picked, err := registry.Pick(op.Linear, []op.Type{call.In[0].Type, constant}, nil)
		if err != nil {
			t.Fatal(err)
		}
		runner, err := picked.Bind(call)
		if err != nil {
			t.Fatal(err)
		}
		if err := runner.Run(); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(results[0]); i += 4 {
		got := math.Float32frombits(binary.LittleEndian.Uint32(results[0][i:]))
		want := math.Float32frombits(binary.LittleEndian.Uint32(results[1][i:]))
		if !(math.Abs(float64(got-want)) <= 1e-5*K*4*7*60000) {
			t.Errorf("element %d: %g, want %g", i/4, got, want)
		}
	}
}

// Activations are stored as f16 where that is wanted, by a device that can.
func TestStoring(t *testing.T) {
	a, err := ParseArithmetic(gpu.WayStore16)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Of(&vk.Physical{Features: vk.Features{FP16Storage: true}}); got != (gpu.Arithmetic{Store16: true}) || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := a.Of(&vk.Physical{Name: "old"}); got.Store16 || !errors.Is(err, gpu.ErrChoice) || !strings.Contains(err.Error(), "old: ") {
		t.Errorf("%+v, %v", got, err)
	}
}
