package bench

// Phone is what PocketLLM (arXiv 2407.01031) reports of MeZO on a phone, an OPPO
// Reno 6: two figures where it has two, and one for both where it has one.
type Phone struct {
	Memory  string `json:"memory"`
	Seconds string `json:"seconds_a_step"`
}

// PocketConfig is a fine-tune that PocketLLM did.
type PocketConfig struct {
	Arch  string `json:"arch"` // as zeroth synth calls it
	Batch int    `json:"batch"`
	Phone Phone  `json:"phone"`
}

// PocketConfigs are PocketLLM's.
func PocketConfigs() []PocketConfig {
	return []PocketConfig{
		{"roberta-large", 8, Phone{"4.8, 4.6 GB", "97, 83"}},
		{"roberta-large", 64, Phone{"4.0, 4.5 GB", "123, 121"}},
		{"opt-1.3b", 16, Phone{"6.5 GB", "about 1800"}},
	}
}

// PocketMethod is a way to fine-tune that is measured beside them.
type PocketMethod struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Quant string `json:"quant"`
	Full  bool   `json:"full"` // MeZO over all weights
}

// PocketMethods are PocketLLM's own, on weights of two types, and Zeroth's.
func PocketMethods() []PocketMethod {
	return []PocketMethod{
		{"mezo-f32", "MeZO over all weights, f32", "f32", true},
		{"mezo-bf16", "MeZO over all weights, bf16", "bf16", true},
		{"i8", "LoRA, widened, 8-bit weights", "i8", false},
		{"q4", "LoRA, widened, 4-bit weights", "q4", false},
	}
}
