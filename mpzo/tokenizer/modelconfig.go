package tokenizer

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// modelConfig is what tokenizer_config.json, and config.json beside it, add to a
// tokenizer's files. The zero value says nothing.
type modelConfig struct {
	class     string            // tokenizer_class without "Fast"
	modelType string            // model_type of config.json
	named     map[string]string // contents by role: "bos_token", "mask_token", …
	more      []string          // additional_special_tokens
	added     []addedToken      // added_tokens_decoder, by id
	addBOS    *bool
	addEOS    *bool
	prefixed  bool // add_prefix_space
}

// roles are the special tokens that tokenizer_config.json names.
var roles = [...]string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

// readModelConfig reads both files, either of which may be nil.
func readModelConfig(tokenizerConfig, config []byte) (modelConfig, error) {
	c := modelConfig{named: make(map[string]string)}
	if config != nil {
		o, err := readObject("config.json", config)
		if err == nil {
			err = o.read("model_type", &c.modelType)
		}
		if err != nil {
			return c, err
		}
	}
	if tokenizerConfig == nil {
		return c, nil
	}
	const what = "tokenizer_config.json"
	o, err := readObject(what, tokenizerConfig)
	if err != nil {
		return c, err
	}
	for _, field := range []struct {
		key  string
		into any
	}{
		{"tokenizer_class", &c.class},
		{"add_bos_token", &c.addBOS},
		{"add_eos_token", &c.addEOS},
		{"add_prefix_space", &c.prefixed},
	} {
		if err := o.read(field.key, field.into); err != nil {
			return c, fmt.Errorf("%s: %w", what, err)
		}
	}
	c.class = strings.TrimSuffix(c.class, "Fast")
	if err := c.readTokens(o); err != nil {
		return c, fmt.Errorf("%s: %w", what, err)
	}
	return c, nil
}

// readTokens reads the special tokens of tokenizer_config.json.
func (c *modelConfig) readTokens(o object) error {
	for _, role := range roles {
		if o.has(role) {
			content, err := tokenContent(o[role])
			if err != nil {
				return fmt.Errorf("%s: %w", role, err)
			}
			c.named[role] = content
		}
	}
	more, err := o.array("additional_special_tokens")
	if err != nil {
		return err
	}
	for _, value := range more {
		content, err := tokenContent(value)
		if err != nil {
			return fmt.Errorf("additional_special_tokens: %w", err)
		}
		c.more = append(c.more, content)
	}
	if !o.has("added_tokens_decoder") {
		return nil
	}
	decoder, err := readObject("added_tokens_decoder", o["added_tokens_decoder"])
	if err != nil {
		return err
	}
	for key, value := range decoder {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil {
			return fmt.Errorf("added_tokens_decoder: id %q: %w", key, ErrMalformed)
		}
		token, err := readAddedToken(value)
		if err != nil {
			return fmt.Errorf("added_tokens_decoder: %q: %w", key, err)
		}
		token.ID = int32(id)
		c.added = append(c.added, token)
	}
	sort.Slice(c.added, func(i, j int) bool { return c.added[i].ID < c.added[j].ID })
	return nil
}

// specials returns the tokens that are named, each perhaps more than once,
// without their ids. A mask takes the space before it.
func (c *modelConfig) specials() []addedToken {
	var tokens []addedToken
	for _, role := range roles {
		if content := c.named[role]; content != "" {
			tokens = append(tokens, addedToken{Content: content, Special: true, LStrip: role == "mask_token"})
		}
	}
	for _, content := range c.more {
		tokens = append(tokens, addedToken{Content: content, Special: true})
	}
	return tokens
}

// tokenContent reads a token written as a string or as an object.
func tokenContent(value json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text, nil
	}
	token, err := readAddedToken(value)
	return token.Content, err
}

// readAddedToken reads an added token; its id is 0 where it has none.
func readAddedToken(value json.RawMessage) (addedToken, error) {
	var token addedToken
	if _, err := readObject("token", value); err != nil {
		return token, err
	}
	if err := json.Unmarshal(value, &token); err != nil {
		return token, fmt.Errorf("%w: %w", err, ErrMalformed)
	}
	if token.Content == "" {
		return token, fmt.Errorf("no content: %w", ErrMalformed)
	}
	return token, nil
}
