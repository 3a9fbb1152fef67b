package adapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/safetensors"
	"zeroth/internal/testdata"
)

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run", "adapter")
	want := sample(layered([]int{0, 1}, "self_attn.k_proj", "self_attn.q_proj")...)
	if err := Write(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, want)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 2 {
		t.Errorf("the folder holds %v, want two files", names)
	}
}

// What PEFT 0.9 to 0.18 needs to find, byte by byte as Python's json.dumps
// (indent=2, sort_keys=True) writes it.
func TestConfigBytes(t *testing.T) {
	a := sample(layered([]int{2, 3}, "mlp.down_proj", "self_attn.q_proj")...)
	got, err := encodeConfig(a)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "alpha_pattern": {},
  "auto_mapping": null,
  "base_model_name_or_path": "org/base",
  "bias": "none",
  "fan_in_fan_out": false,
  "inference_mode": true,
  "init_lora_weights": true,
  "layers_pattern": "layers",
  "layers_to_transform": [
    2,
    3
  ],
  "lora_alpha": 4,
  "lora_dropout": 0.0,
  "modules_to_save": null,
  "peft_type": "LORA",
  "r": 2,
  "rank_pattern": {},
  "revision": null,
  "target_modules": [
    "down_proj",
    "q_proj"
  ],
  "task_type": "CAUSAL_LM",
  "use_dora": false,
  "use_rslora": false
}
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	a.Masked = true
	if got, err = encodeConfig(a); err != nil || !strings.Contains(string(got), "\"task_type\": null") {
		t.Errorf("a masked language model: %v in\n%s", err, got)
	}
	a.FanInFanOut = true
	if got, err = encodeConfig(a); err != nil || !strings.Contains(string(got), "\"fan_in_fan_out\": true") {
		t.Errorf("a base of Conv1D: %v in\n%s", err, got)
	}
}

func TestTensorNamesAndShapes(t *testing.T) {
	dir := t.TempDir()
	a := sample(qProj)
	if err := Write(dir, a); err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Open(filepath.Join(dir, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := file.Metadata(); !maps.Equal(got, map[string]string{"format": "pt"}) {
		t.Errorf("metadata is %v", got)
	}
	want := map[string][]int{
		"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": {2, 3},
		"base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": {4, 2},
	}
	for _, tensor := range file.Tensors() {
		if tensor.DType != safetensors.F32 || !slices.Equal(want[tensor.Name], tensor.Shape) {
			t.Errorf("tensor %s is %s %v", tensor.Name, tensor.DType, tensor.Shape)
		}
		delete(want, tensor.Name)
	}
	if len(want) != 0 {
		t.Errorf("missing: %v", want)
	}
}

// A second Write into the same folder replaces the first, and keeps what others
// put there.
func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, sample(qProj)); err != nil {
		t.Fatal(err)
	}
	want := sample(qProj, "lm_head")
	want.Alpha = 45.25
	slices.SortFunc(want.Sites, func(a, b Site) int { return strings.Compare(a.Module, b.Module) })
	if err := Write(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, want)
	}
	if text, err := os.ReadFile(readme); err != nil || string(text) != "mine" {
		t.Errorf("README.md: %q, %v", text, err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 3 {
		t.Errorf("the folder holds %v", names)
	}
}

// If the weights cannot be written, no config of others stays beside old ones.
func TestTornRewriteLeavesNoMixture(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, sample(qProj)); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(dir, weightsName)
	if err := os.Remove(weights); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(weights, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	other := sample(qProj)
	other.Alpha = 99
	if err := Write(dir, other); err == nil {
		t.Fatal("a folder was written over")
	}
	if _, err := os.Stat(filepath.Join(dir, configName)); err == nil {
		t.Error("a config stands beside weights that are not its own")
	}
	names, _ := os.ReadDir(dir)
	for _, name := range names {
		if strings.HasSuffix(name.Name(), ".tmp") {
			t.Errorf("%s was left behind", name.Name())
		}
	}
}

func TestWriteNeedsAFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, sample(qProj)); !errors.Is(err, ErrArgument) {
		t.Errorf("got %v, want ErrArgument", err)
	}
}

func TestWriteRefusesWhatDoesNotFit(t *testing.T) {
	nan := float32(math.NaN())
	cases := map[string]func(*Adapter){
		"rank 0":          func(a *Adapter) { a.Rank = 0 },
		"rank 3":          func(a *Adapter) { a.Rank = 3 },
		"alpha 0":         func(a *Adapter) { a.Alpha = 0 },
		"alpha NaN":       func(a *Adapter) { a.Alpha = math.NaN() },
		"alpha infinite":  func(a *Adapter) { a.Alpha = math.Inf(1) },
		"layers negative": func(a *Adapter) { a.Layers = -1 },
		"no sites":        func(a *Adapter) { a.Sites, a.A, a.B = nil, nil, nil },
		"no A":            func(a *Adapter) { a.A = nil },
		"short B":         func(a *Adapter) { a.B[0] = a.B[0][1:] },
		"B NaN":           func(a *Adapter) { a.B[0][3] = nan },
		"A infinite":      func(a *Adapter) { a.A[1][0] = float32(math.Inf(1)) },
		"dims 0":          func(a *Adapter) { a.Sites[0].Out, a.B[0] = 0, nil },
		"dims overflow":   func(a *Adapter) { a.Sites[0].In = math.MaxInt },
		"module twice":    func(a *Adapter) { a.Sites[1].Module = a.Sites[0].Module },
		"module empty":    func(a *Adapter) { a.Sites[0].Module = "" },
		"module path":     func(a *Adapter) { a.Sites[0].Module = "../../etc/passwd" },
		"module slash":    func(a *Adapter) { a.Sites[0].Module = "model/layers" },
		"module regexp":   func(a *Adapter) { a.Sites[0].Module = "model.*" },
		"module escape":   func(a *Adapter) { a.Sites[0].Module = "model\x1b[2J" },
		"module long":     func(a *Adapter) { a.Sites[0].Module = strings.Repeat("m", maxModuleBytes+1) },
		"base with \\n":   func(a *Adapter) { a.Base = "a\nb" },
		"base not UTF-8":  func(a *Adapter) { a.Base = "\xff" },
	}
	for name, breakIt := range cases {
		a := sample(qProj, "lm_head")
		breakIt(a)
		dir := filepath.Join(t.TempDir(), "adapter")
		if err := Write(dir, a); !errors.Is(err, ErrArgument) {
			t.Errorf("%s: got %v, want ErrArgument", name, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: something was written", name)
		}
	}
}

func TestLocate(t *testing.T) {
	a := sample("b", "c")
	indices, err := a.Locate([]Site{{"c", 4, 3}, {"x", 9, 9}, {"b", 4, 3}})
	if err != nil || !slices.Equal(indices, []int{1, -1, 0}) {
		t.Errorf("got %v, %v", indices, err)
	}
	if _, err := a.Locate([]Site{{"c", 4, 3}}); !errors.Is(err, ErrOtherModel) || !strings.Contains(err.Error(), "no site b") {
		t.Errorf("a module too many: %v", err)
	}
	if _, err := a.Locate([]Site{{"c", 4, 3}, {"b", 3, 4}}); !errors.Is(err, ErrOtherModel) || !strings.Contains(err.Error(), "module b is [4, 3]") {
		t.Errorf("another shape: %v", err)
	}
}

// The LoRA made in PyTorch beside stories260K, given PEFT's names.
func TestReadsTheProbe(t *testing.T) {
	path := testdata.Shared(t, "models/stories260K/reference/lora_probe.safetensors")
	probe, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	var entries []safetensors.Entry
	values := map[string][]float32{}
	for _, tensor := range probe.Tensors() {
		data := make([]float32, tensor.Elements())
		if err := probe.ReadF32(tensor.Name, data); err != nil {
			t.Fatal(err)
		}
		values[tensor.Name] = data
		entries = append(entries, safetensors.Entry{Name: keyPrefix + tensor.Name, Shape: tensor.Shape, Data: data})
	}
	a, err := Read(folder(t, `{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"]}`, entries))
	if err != nil {
		t.Fatal(err)
	}
	if a.Rank != 4 || a.Alpha != 8 || len(a.Sites) != 10 {
		t.Fatalf("rank %d, alpha %v, %d sites", a.Rank, a.Alpha, len(a.Sites))
	}
	for i, site := range a.Sites {
		out := map[bool]int{true: 64, false: 32}[strings.HasSuffix(site.Module, "q_proj")]
		if site.Out != out || site.In != 64 {
			t.Errorf("site %v", site)
		}
		if !slices.Equal(a.A[i], values[site.Module+keySuffixA]) || !slices.Equal(a.B[i], values[site.Module+keySuffixB]) {
			t.Errorf("module %s: other values", site.Module)
		}
	}
	// Written again it names the layers and projections as PEFT expects.
	a.Layers = 5
	config, err := encodeConfig(a)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(config, &fields); err != nil {
		t.Fatal(err)
	}
	if fields["layers_to_transform"] != nil || !reflect.DeepEqual(fields["target_modules"], []any{"q_proj", "v_proj"}) {
		t.Errorf("config is %s", config)
	}
}

func TestReadsHalfPrecision(t *testing.T) {
	for _, dtype := range []string{safetensors.F16, safetensors.BF16} {
		entries := goodEntries()
		for i := range entries {
			entries[i].DType = dtype
			entries[i].Data[1] = -0.75
		}
		a, err := Read(folder(t, minimalConfig, entries))
		if err != nil {
			t.Fatal(err)
		}
		if a.A[0][1] != -0.75 || a.B[0][1] != -0.75 || a.A[0][0] != 0 {
			t.Errorf("%s: A %v, B %v", dtype, a.A[0], a.B[0])
		}
	}
}

func TestBytesDependOnTheAdapterAlone(t *testing.T) {
	read := func() []byte {
		dir := filepath.Join(t.TempDir(), "adapter")
		if err := Write(dir, sample(layered([]int{0, 1, 2}, "self_attn.q_proj", "mlp.up_proj")...)); err != nil {
			t.Fatal(err)
		}
		weights, err := os.ReadFile(filepath.Join(dir, weightsName))
		if err != nil {
			t.Fatal(err)
		}
		config, err := os.ReadFile(filepath.Join(dir, configName))
		if err != nil {
			t.Fatal(err)
		}
		return append(weights, config...)
	}
	if !bytes.Equal(read(), read()) {
		t.Error("the same adapter gave other bytes")
	}
}
