package adapter

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// targets says in PEFT's terms which modules carry a LoRA. PEFT adapts a module
// whose path equals an entry of target_modules, or ends in '.' and an entry and,
// if layers_to_transform is not null, has one of those layer numbers after
// layers_pattern.
type targets struct {
	modules []string // target_modules, sorted
	layers  []int    // layers_to_transform, ascending; nil for null
	pattern string   // layers_pattern; "" for null
}

// layerPath finds what PEFT takes for the layer number: the first number that
// is a part of its own, with two parts before it.
var layerPath = regexp.MustCompile(`^(.*?)\.([^.]*)\.([0-9]{1,9})\.(.*)$`)

// findTargets describes the sites. Where they are the same modules in each of a
// set of layers, it is by short names and layer numbers, or by short names alone
// where the set is all layers of a base model that is known to have so many.
// Otherwise it is by whole paths, which PEFT matches exactly.
func findTargets(sites []Site, baseLayers int) targets {
	if short, ok := productTargets(sites, baseLayers); ok {
		return short
	}
	whole := targets{}
	for _, site := range sites {
		whole.modules = append(whole.modules, site.Module)
	}
	slices.Sort(whole.modules)
	return whole
}

func productTargets(sites []Site, baseLayers int) (targets, bool) {
	stack := ""
	rests := map[string]string{} // short name → the path after the layer number
	layers := map[int]bool{}
	found := targets{}
	for i, site := range sites {
		parts := layerPath.FindStringSubmatch(site.Module)
		if parts == nil {
			return targets{}, false
		}
		above, rest := parts[1]+"."+parts[2], parts[4]
		name := rest[strings.LastIndexByte(rest, '.')+1:]
		layer, err := strconv.Atoi(parts[3])
		if err != nil || strconv.Itoa(layer) != parts[3] || !namesOneModule(name) {
			return targets{}, false
		}
		if i > 0 && above != stack {
			return targets{}, false
		}
		if known, there := rests[name]; there && known != rest {
			return targets{}, false
		}
		stack, rests[name], layers[layer] = above, rest, true
		found.pattern = parts[2]
	}
	// Modules are unique, so as many sites as the product has are the product.
	if len(sites) != len(rests)*len(layers) {
		return targets{}, false
	}
	for name := range rests {
		found.modules = append(found.modules, name)
	}
	slices.Sort(found.modules)
	for layer := range layers {
		found.layers = append(found.layers, layer)
	}
	slices.Sort(found.layers)
	if baseLayers > 0 && len(layers) == baseLayers && found.layers[baseLayers-1] == baseLayers-1 {
		found.layers, found.pattern = nil, ""
	}
	return found, true
}

// namesOneModule says whether a layer of the models we know has at most one
// module of this name, so that it can stand for the path. In BERT "dense", and
// in GPT-2 "c_proj", are several.
func namesOneModule(name string) bool {
	switch name {
	case "q_proj", "k_proj", "v_proj", "o_proj", "out_proj", // attention
		"gate_proj", "up_proj", "down_proj", "fc1", "fc2", // MLP
		"query", "key", "value", "c_attn", "c_fc": // BERT and GPT-2
		return true
	}
	return false
}
