package adapter

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"zeroth/internal/safetensors"
)

// sample returns a small adapter of rank 2 at the given modules, all [4, 3].
func sample(modules ...string) *Adapter {
	a := &Adapter{Rank: 2, Alpha: 4, Base: "org/base"}
	for i, module := range modules {
		a.Sites = append(a.Sites, Site{Module: module, Out: 4, In: 3})
		loraA, loraB := make([]float32, 2*3), make([]float32, 4*2)
		for j := range loraA {
			loraA[j] = float32(i+1) + float32(j)/8
		}
		for j := range loraB {
			loraB[j] = float32(j)/16 - float32(i)
		}
		a.A, a.B = append(a.A, loraA), append(a.B, loraB)
	}
	return a
}

// layered returns the modules of the given layers, in layers' order.
func layered(layers []int, rests ...string) []string {
	var modules []string
	for _, layer := range layers {
		for _, rest := range rests {
			modules = append(modules, fmt.Sprintf("model.layers.%d.%s", layer, rest))
		}
	}
	return modules
}

const minimalConfig = `{"peft_type": "LORA", "r": 2, "lora_alpha": 4}`

// folder writes a config and the tensors to a folder as PEFT would.
func folder(t testing.TB, config string, entries []safetensors.Entry) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configName), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := safetensors.Write(filepath.Join(dir, weightsName), entries, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func entry(name string, shape ...int) safetensors.Entry {
	n := 1
	for _, dim := range shape {
		n *= dim
	}
	return safetensors.Entry{Name: name, Shape: shape, Data: make([]float32, n)}
}

const qProj = "model.layers.0.self_attn.q_proj"

// goodEntries are the tensors of one module that fit minimalConfig.
func goodEntries() []safetensors.Entry {
	return []safetensors.Entry{
		entry(keyPrefix+qProj+keySuffixA, 2, 3),
		entry(keyPrefix+qProj+keySuffixB, 4, 2),
	}
}
