package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
)

// readPostProcessor reads what is put around a text: nothing, the tokens of
// RobertaProcessing and BertProcessing, or a template's for one text.
func (s *spelled) readPostProcessor(data json.RawMessage) error {
	wrappers := 0
	return s.readProcessor(data, &wrappers, 0)
}

func (s *spelled) readProcessor(data json.RawMessage, wrappers *int, depth int) error {
	if isNull(data) {
		return nil
	}
	o, kind, err := typed(data)
	if err != nil {
		return err
	}
	switch kind {
	case "ByteLevel":
		return nil
	case "Sequence":
		return eachNested(o, "processors", depth, func(item json.RawMessage) error {
			return s.readProcessor(item, wrappers, depth+1)
		})
	}
	if *wrappers++; *wrappers > 1 {
		return fmt.Errorf("%q behind another: %w", kind, ErrUnsupported)
	}
	switch kind {
	case "RobertaProcessing", "BertProcessing":
		for key, into := range map[string]*[]int32{"cls": &s.recipe.Prefix, "sep": &s.recipe.Suffix} {
			id, err := namedID(o, key)
			if err != nil {
				return err
			}
			*into = []int32{id}
		}
		return nil
	case "TemplateProcessing":
		return s.readTemplate(o)
	}
	return fmt.Errorf("%q: %w", kind, ErrUnsupported)
}

// namedID reads a token written as ["</s>", 2].
func namedID(o object, key string) (int32, error) {
	var pair []json.RawMessage
	if err := o.read(key, &pair); err != nil {
		return 0, err
	}
	var content string
	var id int32
	if len(pair) != 2 || json.Unmarshal(pair[0], &content) != nil || json.Unmarshal(pair[1], &id) != nil {
		return 0, fmt.Errorf("%s: want a token and its id: %w", key, ErrMalformed)
	}
	return id, nil
}

// readTemplate reads the template for one text: special tokens and one Sequence.
func (s *spelled) readTemplate(o object) error {
	var single []map[string]struct{ ID string }
	if err := o.read("single", &single); err != nil {
		return err
	}
	tokens := make(object)
	if o.has("special_tokens") {
		var err error
		if tokens, err = readObject("special_tokens", o["special_tokens"]); err != nil {
			return err
		}
	}
	into, texts := &s.recipe.Prefix, 0
	for i, item := range single {
		if len(item) != 1 {
			return fmt.Errorf("single: item %d: want one key: %w", i, ErrMalformed)
		}
		if _, found := item["Sequence"]; found {
			into = &s.recipe.Suffix
			texts++
			continue
		}
		special, found := item["SpecialToken"]
		if !found || !tokens.has(special.ID) {
			return fmt.Errorf("single: item %d: want Sequence or one of special_tokens: %w", i, ErrMalformed)
		}
		var token struct{ IDs []int32 }
		if err := json.Unmarshal(tokens[special.ID], &token); err != nil {
			return fmt.Errorf("special_tokens: %q: %w: %w", special.ID, err, ErrMalformed)
		}
		if len(*into)+len(token.IDs) > maxAround {
			return fmt.Errorf("more than %d ids around a text: %w", maxAround, ErrTooLarge)
		}
		*into = append(*into, token.IDs...)
	}
	if texts != 1 {
		return fmt.Errorf("single: %d texts, want one: %w", texts, ErrMalformed)
	}
	return nil
}

// endNames are the tokens that end a text where no file says which, in the order
// they are looked for.
var endNames = [...]string{"<|endoftext|>", "<|end_of_text|>", "</s>"}

// readEnds finds EOS and applies add_bos_token and add_eos_token of
// tokenizer_config.json, which add but never take away.
func (s *spelled) readEnds() error {
	c := &s.config
	if content := c.named["eos_token"]; content != "" {
		if s.recipe.EOS = s.id(content); s.recipe.EOS < 0 {
			return fmt.Errorf("tokenizer_config.json: eos_token %q is no token: %w", content, ErrMalformed)
		}
	}
	if content := c.named["bos_token"]; content != "" && c.addBOS != nil && *c.addBOS && len(s.recipe.Prefix) == 0 {
		id := s.id(content)
		if id < 0 {
			return fmt.Errorf("tokenizer_config.json: bos_token %q is no token: %w", content, ErrMalformed)
		}
		s.recipe.Prefix = []int32{id}
	}
	if count := len(s.recipe.Suffix); s.recipe.EOS < 0 && count > 0 {
		s.recipe.EOS = s.recipe.Suffix[count-1]
	}
	for _, name := range endNames {
		special := slices.ContainsFunc(s.recipe.Added, func(token addedToken) bool {
			return token.Content == name
		})
		if s.recipe.EOS < 0 && special {
			s.recipe.EOS = s.id(name)
		}
	}
	if c.addEOS != nil && *c.addEOS && len(s.recipe.Suffix) == 0 && s.recipe.EOS >= 0 {
		s.recipe.Suffix = []int32{s.recipe.EOS}
	}
	return nil
}
