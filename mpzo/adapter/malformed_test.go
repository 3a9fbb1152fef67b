package adapter

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeroth/internal/safetensors"
)

// with returns minimalConfig with more fields.
func with(fields string) string {
	return strings.TrimSuffix(minimalConfig, "}") + ", " + fields + "}"
}

type badConfig struct {
	text string
	want error
	says string // part of the message
}

func badConfigs() map[string]badConfig {
	return map[string]badConfig{
		"empty":              {``, ErrFormat, ""},
		"not JSON":           {`hello`, ErrFormat, ""},
		"cut":                {minimalConfig[:20], ErrFormat, ""},
		"text after":         {minimalConfig + "x", ErrFormat, ""},
		"an array":           {`[]`, ErrFormat, ""},
		"null":               {`null`, ErrFormat, "peft_type"},
		"not UTF-8":          {with("\"revision\": \"\xff\""), ErrFormat, "UTF-8"},
		"deep":               {strings.Repeat("[", 100000), ErrFormat, ""},
		"no peft_type":       {`{"r": 2, "lora_alpha": 4}`, ErrFormat, "peft_type"},
		"prefix tuning":      {`{"peft_type": "PREFIX_TUNING", "r": 2, "lora_alpha": 4}`, ErrUnsupported, "PREFIX_TUNING"},
		"peft_type a number": {`{"peft_type": 1, "r": 2, "lora_alpha": 4}`, ErrFormat, "peft_type"},
		"no r":               {`{"peft_type": "LORA", "lora_alpha": 4}`, ErrFormat, "field r"},
		"r 0":                {`{"peft_type": "LORA", "r": 0, "lora_alpha": 4}`, ErrFormat, "r is 0"},
		"r negative":         {`{"peft_type": "LORA", "r": -8, "lora_alpha": 4}`, ErrFormat, "r is -8"},
		"r huge":             {`{"peft_type": "LORA", "r": 1e30, "lora_alpha": 4}`, ErrFormat, "field r"},
		"r past the limit":   {`{"peft_type": "LORA", "r": 65537, "lora_alpha": 4}`, ErrFormat, "r is 65537"},
		"r text":             {`{"peft_type": "LORA", "r": "8", "lora_alpha": 4}`, ErrFormat, "field r"},
		"r of other tensors": {`{"peft_type": "LORA", "r": 8, "lora_alpha": 4}`, ErrFormat, "r is 8"},
		"no lora_alpha":      {`{"peft_type": "LORA", "r": 2}`, ErrFormat, "lora_alpha"},
		"lora_alpha null":    {`{"peft_type": "LORA", "r": 2, "lora_alpha": null}`, ErrFormat, "lora_alpha"},
		"lora_alpha 0":       {`{"peft_type": "LORA", "r": 2, "lora_alpha": 0}`, ErrFormat, "lora_alpha"},
		"lora_alpha text":    {`{"peft_type": "LORA", "r": 2, "lora_alpha": "x"}`, ErrFormat, "lora_alpha"},
		"lora_alpha 1e999":   {`{"peft_type": "LORA", "r": 2, "lora_alpha": 1e999}`, ErrFormat, "lora_alpha"},
		"base a list":        {with(`"base_model_name_or_path": [1]`), ErrFormat, "base_model_name_or_path"},
		"base with escape":   {with(`"base_model_name_or_path": "a\u001b[2J"`), ErrFormat, "base_model_name_or_path"},
		"base long":          {with(`"base_model_name_or_path": "` + strings.Repeat("x", maxBaseBytes+1) + `"`), ErrFormat, "base_model_name_or_path"},
		"rslora a number":    {with(`"use_rslora": 1`), ErrFormat, "use_rslora"},
		"bias all":           {with(`"bias": "all"`), ErrUnsupported, "bias"},
		"bias lora_only":     {with(`"bias": "lora_only"`), ErrUnsupported, "bias"},
		"modules_to_save":    {with(`"modules_to_save": ["score"]`), ErrUnsupported, "modules_to_save"},
		"DoRA":               {with(`"use_dora": true`), ErrUnsupported, "use_dora"},
		"lora_bias":          {with(`"lora_bias": true`), ErrUnsupported, "lora_bias"},
		"PiSSA":              {with(`"init_lora_weights": "pissa_niter_4"`), ErrUnsupported, "init_lora_weights"},
		"LoftQ":              {with(`"init_lora_weights": "loftq"`), ErrUnsupported, "init_lora_weights"},
		"QA-LoRA":            {with(`"use_qalora": true`), ErrUnsupported, "use_qalora"},
		"aLoRA":              {with(`"alora_invocation_tokens": [1, 2]`), ErrUnsupported, "alora_invocation_tokens"},
		"layer replication":  {with(`"layer_replication": [[0, 4], [2, 6]]`), ErrUnsupported, "layer_replication"},
		"tokens":             {with(`"trainable_token_indices": [5]`), ErrUnsupported, "trainable_token_indices"},
		"parameters":         {with(`"target_parameters": ["experts.gate_up_proj"]`), ErrUnsupported, "target_parameters"},
		"megatron":           {with(`"megatron_config": {"x": 1}`), ErrUnsupported, "megatron_config"},
		"of a later PEFT":    {with(`"kasa_config": {"beta": 1}`), ErrUnsupported, "kasa_config"},
		"hostile field":      {with(`"\u001b[2J": 1`), ErrUnsupported, `\x1b`},
		"rank_pattern":       {with(`"rank_pattern": {"q_proj": 8}`), ErrUnsupported, "rank_pattern"},
		"rank_pattern mixed": {with(`"rank_pattern": {"q_proj": 2, "v_proj": 4}`), ErrUnsupported, "rank_pattern"},
		"rank_pattern list":  {with(`"rank_pattern": [1]`), ErrFormat, "rank_pattern"},
		"alpha_pattern":      {with(`"alpha_pattern": {"q_proj": 8}`), ErrUnsupported, "alpha_pattern"},
		"alpha_pattern text": {with(`"alpha_pattern": {"q_proj": "8"}`), ErrFormat, "alpha_pattern"},
	}
}

func TestMalformedConfigs(t *testing.T) {
	dir := folder(t, minimalConfig, goodEntries())
	if _, err := Read(dir); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, c := range badConfigs() {
		if err := os.WriteFile(filepath.Join(dir, configName), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Read(dir)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v that says %q", name, err, c.want, c.says)
		}
	}
}

func TestConfigsThatAreAccepted(t *testing.T) {
	cases := map[string]struct {
		text  string
		alpha float64
	}{
		"minimal":          {minimalConfig, 4},
		"real alpha":       {`{"peft_type": "LORA", "r": 2, "lora_alpha": 4.5}`, 4.5},
		"rslora":           {with(`"use_rslora": true`), 4 * math.Sqrt2},
		"same patterns":    {with(`"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 4.0}`), 4},
		"rank by pattern":  {`{"peft_type": "LORA", "r": 16, "lora_alpha": 4, "rank_pattern": {".*": 2}}`, 4},
		"gaussian":         {with(`"init_lora_weights": "gaussian"`), 4},
		"random init":      {with(`"init_lora_weights": false`), 4},
		"regexp targets":   {with(`"target_modules": "all-linear"`), 4},
		"newest PEFT":      {with(`"peft_version": "0.18.0", "qalora_group_size": 16, "use_qalora": false, "arrow_config": null, "ensure_weight_tying": false, "megatron_core": "megatron.core", "loftq_config": {}, "eva_config": null, "lora_bias": false, "trainable_token_indices": null`), 4},
		"spaces in blanks": {with(`"layer_replication": [ ]`), 4},
	}
	for name, c := range cases {
		a, err := Read(folder(t, c.text, goodEntries()))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Rank != 2 || a.Alpha != c.alpha {
			t.Errorf("%s: rank %d, alpha %v, want 2 and %v", name, a.Rank, a.Alpha, c.alpha)
		}
	}
}

func TestMalformedTensors(t *testing.T) {
	keyA, keyB := keyPrefix+qProj+keySuffixA, keyPrefix+qProj+keySuffixB
	nan := entry(keyB, 4, 2)
	nan.Data[5] = float32(math.NaN())
	module := func(name string) []safetensors.Entry {
		return []safetensors.Entry{entry(keyPrefix+name+keySuffixA, 2, 3), entry(keyPrefix+name+keySuffixB, 4, 2)}
	}
	cases := map[string]struct {
		entries []safetensors.Entry
		want    error
		says    string
	}{
		"none":                {nil, ErrFormat, "no LoRA tensors"},
		"only A":              {[]safetensors.Entry{entry(keyA, 2, 3)}, ErrFormat, "only one"},
		"only B":              {[]safetensors.Entry{entry(keyB, 4, 2)}, ErrFormat, "only one"},
		"A of one dim":        {[]safetensors.Entry{entry(keyA, 6), entry(keyB, 4, 2)}, ErrUnsupported, "linear"},
		"convolution":         {[]safetensors.Entry{entry(keyA, 2, 3, 1, 1), entry(keyB, 4, 2, 1, 1)}, ErrUnsupported, "linear"},
		"B transposed":        {[]safetensors.Entry{entry(keyA, 2, 3), entry(keyB, 2, 4)}, ErrFormat, "[out, r]"},
		"rank 0":              {[]safetensors.Entry{entry(keyA, 0, 3), entry(keyB, 4, 0)}, ErrFormat, "[r, in]"},
		"no inputs":           {[]safetensors.Entry{entry(keyA, 2, 0), entry(keyB, 4, 2)}, ErrFormat, "[r, in]"},
		"no outputs":          {[]safetensors.Entry{entry(keyA, 2, 3), entry(keyB, 0, 2)}, ErrFormat, "[out, r]"},
		"two ranks":           {append(goodEntries(), entry(keyPrefix+"x"+keySuffixA, 1, 3), entry(keyPrefix+"x"+keySuffixB, 4, 1)), ErrUnsupported, "rank"},
		"NaN":                 {[]safetensors.Entry{entry(keyA, 2, 3), nan}, ErrFormat, "B[5] is NaN"},
		"DoRA":                {append(goodEntries(), entry(keyPrefix+qProj+".lora_magnitude_vector", 4)), ErrUnsupported, "DoRA"},
		"embedding":           {append(goodEntries(), entry(keyPrefix+"model.embed_tokens.lora_embedding_A", 2, 3)), ErrUnsupported, "embedding"},
		"whole module":        {append(goodEntries(), entry(keyPrefix+"score.modules_to_save.weight", 2, 3)), ErrUnsupported, "modules_to_save"},
		"a weight":            {append(goodEntries(), entry(keyPrefix+"lm_head.weight", 2, 3)), ErrUnsupported, "lm_head.weight"},
		"LoRA bias":           {append(goodEntries(), entry(keyPrefix+qProj+".lora_B.bias", 4)), ErrUnsupported, "lora_B.bias"},
		"adapter name inside": {[]safetensors.Entry{entry(keyPrefix+qProj+".lora_A.default.weight", 2, 3)}, ErrUnsupported, "save_pretrained"},
		"without prefix":      {[]safetensors.Entry{entry(qProj+keySuffixA, 2, 3)}, ErrFormat, "base_model.model."},
		"no module":           {module(""), ErrFormat, "empty part"},
		"dots":                {module("model..q_proj"), ErrFormat, "empty part"},
		"path":                {module("../../../etc/cron"), ErrFormat, "module name"},
		"absolute path":       {module("/etc/passwd"), ErrFormat, "module name"},
		"backslash":           {module(`model\q_proj`), ErrFormat, "module name"},
		"right-to-left":       {module("model\u202eq"), ErrFormat, "module name"},
		"pattern":             {module("model.(a+)+"), ErrFormat, "module name"},
		"long":                {module(strings.Repeat("m", maxModuleBytes+1)), ErrFormat, "module name"},
	}
	for name, c := range cases {
		_, err := Read(folder(t, minimalConfig, c.entries))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v that says %q", name, err, c.want, c.says)
		} else if strings.ContainsAny(err.Error(), "\x1b\x00\u202e") {
			t.Errorf("%s: the message carries the name's control characters: %q", name, err)
		}
	}
}

// Names that package safetensors would not even write.
func TestKeysWithControlCharacters(t *testing.T) {
	for _, module := range []string{"model\x00q", "model\x1b[31m", "model\nq", "model\xff"} {
		if _, _, err := splitKey(keyPrefix + module + keySuffixA); !errors.Is(err, ErrFormat) || !printable(err.Error(), 1<<10) {
			t.Errorf("%q: got %q", module, err)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, configName), []byte(minimalConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no weights: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "adapter_model.bin"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "safe_serialization") {
		t.Errorf("a pickle: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, configName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, configName), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, ErrFormat) {
		t.Errorf("a folder for a config: %v", err)
	}
}

func TestHugeConfigIsNotRead(t *testing.T) {
	dir := folder(t, minimalConfig+strings.Repeat(" ", maxConfigBytes), goodEntries())
	if _, err := Read(dir); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

// A weights file cut or changed anywhere is refused or read as a sound adapter.
func TestDamagedWeights(t *testing.T) {
	dir := folder(t, minimalConfig, goodEntries())
	path := filepath.Join(dir, weightsName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(data []byte) error {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		a, err := Read(dir)
		if err == nil {
			err = a.check()
			if err != nil {
				t.Errorf("an unsound adapter was returned: %v", err)
			}
		}
		return err
	}
	for size := range good {
		if try(good[:size]) == nil {
			t.Errorf("a file cut to %d of %d bytes was read", size, len(good))
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		data := bytes.Clone(good)
		for range 1 + random.IntN(3) {
			data[random.IntN(len(data))] ^= byte(1 + random.IntN(255))
		}
		_ = try(data) // many of these are valid: a changed weight has no checksum
	}
}

func FuzzConfig(f *testing.F) {
	written, err := encodeConfig(sample(qProj))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(written)
	f.Add([]byte(minimalConfig))
	for _, c := range badConfigs() {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := decodeConfig(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsupported) {
				t.Errorf("error without a class: %v", err)
			}
			return
		}
		if config.rank < 1 || config.rank > maxRank || !(config.scaledAlpha(config.rank) > 0) || !printable(config.base, maxBaseBytes) {
			t.Errorf("accepted %+v", config)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, entry := range goodEntries() {
		f.Add(entry.Name)
	}
	f.Add(keyPrefix + keySuffixA)
	f.Add(keyPrefix + "../x" + keySuffixB)
	f.Fuzz(func(t *testing.T, key string) {
		module, isA, err := splitKey(key)
		if err != nil {
			return
		}
		suffix := keySuffixB
		if isA {
			suffix = keySuffixA
		}
		if keyPrefix+module+suffix != key || checkModule(module) != nil {
			t.Errorf("%q was taken for module %q", key, module)
		}
	})
}
