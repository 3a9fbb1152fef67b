package vulkan

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

// What is embedded was compiled from the sources as they are: zsums.txt and
// zsums-matrix.txt hold the hashes of both.
func TestShadersAreUpToDate(t *testing.T) {
	listed := make(map[string]bool)
	for list, target := range map[string]string{"zsums.txt": "shaders", "zsums-matrix.txt": "shaders-matrix"} {
		file, err := os.Open("shaders/" + list)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			sum, name, found := strings.Cut(lines.Text(), "  ")
			if !found || len(sum) != 64 {
				continue
			}
			listed[name] = true
			data, err := os.ReadFile("shaders/" + name)
			if err != nil || sum != fmt.Sprintf("%x", sha256.Sum256(data)) {
				t.Errorf("%s is not what shaders were last made from: run make %s (%v)", name, target, err)
			}
		}
	}
	for _, pattern := range []string{"*.comp", "*.glsl", "*.spv"} {
		paths, err := filepath.Glob("shaders/" + pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, path := range paths {
			if name := filepath.Base(path); !listed[name] {
				t.Errorf("%s was not there when shaders were last made: run make shaders", name)
			}
		}
	}
}

// Each kernel has a shader with the buffers that its entry in the table says and
// its parameters, and no shader is left over.
func TestShaderTable(t *testing.T) {
	listed := make(map[string]bool)
	for _, k := range slices.Concat(gpu.KernelList(), gpu.VariantList(), gpu.HalfList(), gpu.PeakList()) {
		listed[shaderFile(k)] = true
		if k.Buffers > vk.MostBindings || k.Words > gpu.MaxWords {
			t.Errorf("%s has %d buffers and %d parameters", k.Name, k.Buffers, k.Words)
		}
		whole := k
		whole.Half = false
		if k.Buffers > vk.LeastBindings && !slices.Contains(gpu.VariantList(), whole) {
			t.Errorf("%s has %d buffers, a device need not allow more than %d", k.Name, k.Buffers, vk.LeastBindings)
		}
		code, err := shaders.ReadFile("shaders/" + shaderFile(k))
		if err != nil {
			t.Fatal(err)
		}
		if bindings := countBindings(code); bindings != k.Buffers+1 {
			t.Errorf("%s has %d bindings, the table says %d and the parameters", k.Name, bindings, k.Buffers)
		}
		if written := writtenBindings(code); written != k.Writes {
			t.Errorf("%s may write the buffers %b, the table says %b", k.Name, written, k.Writes)
		}
	}
	entries, err := shaders.ReadDir("shaders")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !listed[e.Name()] {
			t.Errorf("%s is used by nothing", e.Name())
		}
	}
}

// The instructions and decorations of SPIR-V that say what a shader binds.
const (
	opTypePointer, opVariable, opDecorate, opMemberDecorate = 32, 59, 71, 72
	decorationNonWritable, decorationBinding, storageBuffer = 24, 33, 12
)

// instructions calls f with the words of each instruction.
func instructions(code []byte, f func(id uint32, words []uint32)) {
	const header = 5
	words := make([]uint32, len(code)/4)
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(code[4*i:])
	}
	for i := header; i < len(words); {
		n := int(max(words[i]>>16, 1))
		f(words[i]&0xffff, words[i+1:i+n])
		i += n
	}
}

// countBindings counts the buffers that are bound.
func countBindings(code []byte) int {
	bound := make(map[uint32]bool) // some have two names, one for each type of elements
	instructions(code, func(id uint32, words []uint32) {
		if id == opDecorate && words[1] == decorationBinding {
			bound[words[2]] = true
		}
	})
	return len(bound)
}

// writtenBindings are the bindings of storage buffers whose members are not
// declared readonly.
func writtenBindings(code []byte) uint32 {
	binding, readonly := make(map[uint32]uint32), make(map[uint32]bool)
	pointee, written := make(map[uint32]uint32), uint32(0)
	instructions(code, func(id uint32, words []uint32) {
		switch {
		case id == opDecorate && words[1] == decorationBinding:
			binding[words[0]] = words[2]
		case id == opMemberDecorate && words[2] == decorationNonWritable:
			readonly[words[0]] = true
		case id == opTypePointer:
			pointee[words[0]] = words[2]
		case id == opVariable:
			if b, bound := binding[words[1]]; bound && words[2] == storageBuffer && !readonly[pointee[words[0]]] {
				written |= 1 << b
			}
		}
	})
	return written
}
