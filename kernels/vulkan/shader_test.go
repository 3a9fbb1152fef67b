package vulkan

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// all are the shaders that the ops use.
var all = []shader{
	shaderAdapt, shaderAttention, shaderChoiceLoss, shaderElementwise, shaderGather, shaderHead, shaderHeadSum, shaderLinear,
	shaderNormalize, shaderPerturb, shaderRotary, shaderSlice, shaderUpdate, shaderWeightedSum,
}

// What is embedded was compiled from the sources as they are: zsums.txt holds
// the hashes of both.
func TestShadersAreUpToDate(t *testing.T) {
	file, err := os.Open("shaders/zsums.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sums := make(map[string]string)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if sum, name, found := strings.Cut(lines.Text(), "  "); found && len(sum) == 64 {
			sums[name] = sum
		}
	}
	for _, pattern := range []string{"*.comp", "*.glsl", "*.spv"} {
		paths, err := filepath.Glob("shaders/" + pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(path)
			if sums[name] != fmt.Sprintf("%x", sha256.Sum256(data)) {
				t.Errorf("%s is not what shaders were last made from: run make shaders", name)
			}
			delete(sums, name)
		}
	}
	for name := range sums {
		t.Errorf("%s is gone: run make shaders", name)
	}
}

// Each shader has the bindings that its entry in the table says, and none is
// left over.
func TestShaderTable(t *testing.T) {
	listed := make(map[string]bool)
	for _, s := range all {
		listed[s.name+".spv"] = true
		code, err := shaders.ReadFile("shaders/" + s.name + ".spv")
		if err != nil {
			t.Fatal(err)
		}
		if bindings := countBindings(code); bindings != s.bindings {
			t.Errorf("%s has %d bindings, the table says %d", s.name, bindings, s.bindings)
		}
		if s.push > len((&hostRunner{}).push) {
			t.Errorf("%s has %d push constants", s.name, s.push)
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

// countBindings counts the decorations of SPIR-V that bind a buffer.
func countBindings(code []byte) int {
	const header, opDecorate, decorationBinding = 5, 71, 33
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(code[4*i:]) }
	count := 0
	for i := header; i < len(code)/4; i += int(max(word(i)>>16, 1)) {
		if word(i)&0xffff == opDecorate && word(i+2) == decorationBinding {
			count++
		}
	}
	return count
}
