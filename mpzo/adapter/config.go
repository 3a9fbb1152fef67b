package adapter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxConfigBytes = 4 << 20

// writtenConfig is what Write puts into adapter_config.json. The fields are in
// the order of their keys, as PEFT sorts them, and no newer than PEFT 0.9, since
// a PEFT without a field refuses the file.
type writtenConfig struct {
	AlphaPattern      struct{} `json:"alpha_pattern"`
	AutoMapping       *string  `json:"auto_mapping"`
	Base              *string  `json:"base_model_name_or_path"`
	Bias              string   `json:"bias"`
	FanInFanOut       bool     `json:"fan_in_fan_out"`
	InferenceMode     bool     `json:"inference_mode"`
	InitLoraWeights   bool     `json:"init_lora_weights"`
	LayersPattern     *string  `json:"layers_pattern"`
	LayersToTransform []int    `json:"layers_to_transform"`
	LoraAlpha         float64  `json:"lora_alpha"`
	LoraDropout       zero     `json:"lora_dropout"`
	ModulesToSave     []string `json:"modules_to_save"`
	PEFTType          string   `json:"peft_type"`
	Rank              int      `json:"r"`
	RankPattern       struct{} `json:"rank_pattern"`
	Revision          *string  `json:"revision"`
	TargetModules     []string `json:"target_modules"`
	TaskType          *string  `json:"task_type"`
	UseDora           bool     `json:"use_dora"`
	UseRslora         bool     `json:"use_rslora"`
}

// zero is written as Python writes a float.
type zero struct{}

// MarshalJSON returns 0.0.
func (zero) MarshalJSON() ([]byte, error) { return []byte("0.0"), nil }

// encodeConfig returns the bytes of adapter_config.json of a checked adapter.
func encodeConfig(a *Adapter) ([]byte, error) {
	found := findTargets(a.Sites, a.Layers)
	config := writtenConfig{
		Bias:              "none",
		FanInFanOut:       a.FanInFanOut,
		InferenceMode:     true,
		InitLoraWeights:   true,
		LayersToTransform: found.layers,
		LoraAlpha:         a.Alpha,
		PEFTType:          "LORA",
		Rank:              a.Rank,
		TargetModules:     found.modules,
	}
	if !a.Masked {
		task := "CAUSAL_LM"
		config.TaskType = &task
	}
	if found.pattern != "" {
		config.LayersPattern = &found.pattern
	}
	if a.Base != "" {
		config.Base = &a.Base
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(config); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// readConfig is what Read takes from adapter_config.json.
type readConfig struct {
	rank         int
	alpha        float64 // lora_alpha
	base         string
	rslora       bool
	rankPatterns []int // values of rank_pattern
}

// scaledAlpha returns alpha such that alpha/rank is PEFT's scale: lora_alpha/rank, or
// lora_alpha/√rank for rank-stabilised LoRA (arXiv 2312.03732).
func (c *readConfig) scaledAlpha(rank int) float64 {
	if c.rslora {
		return c.alpha * math.Sqrt(float64(rank))
	}
	return c.alpha
}

// decodeConfig reads adapter_config.json. Fields that change the arithmetic must
// have the value that leaves it as it is; so must every field we do not know,
// since PEFT grows a new kind of LoRA with each release.
func decodeConfig(data []byte) (*readConfig, error) {
	var fields map[string]json.RawMessage
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("not UTF-8: %w", ErrFormat)
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("%v: %w", err, ErrFormat)
	}
	var peftType string
	if err := take(fields, "peft_type", &peftType); err != nil {
		return nil, err
	}
	if peftType != "LORA" {
		return nil, fmt.Errorf("peft_type is %.40q, only LORA can be read: %w", peftType, ErrUnsupported)
	}
	config := &readConfig{}
	if err := take(fields, "r", &config.rank); err != nil {
		return nil, err
	}
	if config.rank < 1 || config.rank > maxRank {
		return nil, fmt.Errorf("r is %d, must be 1 … %d: %w", config.rank, maxRank, ErrFormat)
	}
	if err := take(fields, "lora_alpha", &config.alpha); err != nil {
		return nil, err
	}
	if !(config.alpha > 0) {
		return nil, fmt.Errorf("lora_alpha is %v, must be above 0: %w", config.alpha, ErrFormat)
	}
	if err := config.takeOptional(fields); err != nil {
		return nil, err
	}
	return config, checkFeatures(fields)
}

func (c *readConfig) takeOptional(fields map[string]json.RawMessage) error {
	if !blank(fields["base_model_name_or_path"]) {
		if err := take(fields, "base_model_name_or_path", &c.base); err != nil {
			return err
		}
	}
	if !printable(c.base, maxBaseBytes) {
		return fmt.Errorf("base_model_name_or_path must be printable text of at most %d bytes: %w", maxBaseBytes, ErrFormat)
	}
	if !blank(fields["use_rslora"]) {
		if err := take(fields, "use_rslora", &c.rslora); err != nil {
			return err
		}
	}
	ranks := map[string]int{}
	if !blank(fields["rank_pattern"]) {
		if err := take(fields, "rank_pattern", &ranks); err != nil {
			return err
		}
	}
	for _, rank := range ranks {
		c.rankPatterns = append(c.rankPatterns, rank)
	}
	slices.Sort(c.rankPatterns)
	alphas := map[string]float64{}
	if !blank(fields["alpha_pattern"]) {
		if err := take(fields, "alpha_pattern", &alphas); err != nil {
			return err
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(alphas)) {
		alpha := alphas[pattern]
		if alpha != c.alpha {
			return fmt.Errorf("alpha_pattern gives %.80q alpha %v beside lora_alpha %v: one alpha for all modules is needed: %w", pattern, alpha, c.alpha, ErrUnsupported)
		}
	}
	return nil
}

// take decodes a field that must be there.
func take(fields map[string]json.RawMessage, name string, into any) error {
	value, there := fields[name]
	if !there || string(value) == "null" {
		return fmt.Errorf("field %s is missing: %w", name, ErrFormat)
	}
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("field %s is %s: %v: %w", name, shown(value), err, ErrFormat)
	}
	return nil
}

// checkFeatures goes through the fields that decodeConfig did not take, in the
// order of their names so that the same file gives the same error.
func checkFeatures(fields map[string]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fields[name]
		if blank(value) || harmless(name) {
			continue
		}
		switch name {
		case "bias":
			if string(value) != `"none"` {
				return fmt.Errorf("bias is %s: trained biases are not supported, train with bias=\"none\": %w", shown(value), ErrUnsupported)
			}
		case "init_lora_weights":
			if !keepsBase(string(value)) {
				return fmt.Errorf("init_lora_weights is %s, which changes the base weights: convert the adapter with save_pretrained(path_initial_model_for_weight_conversion=…): %w", shown(value), ErrUnsupported)
			}
		case "modules_to_save":
			return fmt.Errorf("modules_to_save is %s: whole modules beside the LoRA are not supported, train without them: %w", shown(value), ErrUnsupported)
		case "use_dora":
			return fmt.Errorf("use_dora is %s: DoRA is not supported, merge the adapter into the model: %w", shown(value), ErrUnsupported)
		default:
			return fmt.Errorf("field %.80q is %s, which may change the arithmetic: merge the adapter into the model, or train without it: %w", name, shown(value), ErrUnsupported)
		}
	}
	return nil
}

// harmless names the fields that do not change what an adapter computes, or that
// decodeConfig took.
func harmless(name string) bool {
	switch name {
	case "peft_type", "r", "lora_alpha", "base_model_name_or_path", "use_rslora", "rank_pattern", "alpha_pattern", // taken
		"target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", // the tensors say which modules
		"auto_mapping", "inference_mode", "peft_version", "revision", "runtime_config", "task_type", // bookkeeping
		"lora_dropout", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "velora_config", // training only
		"fan_in_fan_out", "megatron_core", "qalora_group_size": // how the base is stored; unused by themselves
		return true
	}
	return false
}

// keepsBase says whether a way to initialise A and B leaves the base weights as
// they are (PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA do not).
func keepsBase(value string) bool {
	switch value {
	case "true", `"gaussian"`, `"eva"`, `"orthogonal"`:
		return true
	}
	return false
}

// blank says whether a value is absent, null, false or empty.
func blank(value json.RawMessage) bool {
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil {
		return len(value) == 0
	}
	switch compact.String() {
	case "null", "false", "{}", "[]", `""`:
		return true
	}
	return false
}

// shown returns the beginning of a value as it may be shown to a user.
func shown(value json.RawMessage) string {
	text := fmt.Sprintf("%.80s", value)
	if !printable(text, len(text)) {
		return fmt.Sprintf("%q", text)
	}
	return text
}

// printable says whether text can be shown to a user.
func printable(text string, maxBytes int) bool {
	return len(text) <= maxBytes && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, func(char rune) bool { return !unicode.IsPrint(char) })
}
