package tokenizer

import (
	"encoding/json"
	"fmt"
)

// readTokenizerJSON reads Hugging Face's tokenizer.json where its model is a
// byte-level BPE. What it says is done as it says, or refused by its name.
// Truncation and padding are the caller's.
func readTokenizerJSON(data []byte, config modelConfig) (*byteVocabulary, error) {
	top, err := readObject("tokenizer.json", data)
	if err != nil {
		return nil, err
	}
	s := &spelled{config: config, recipe: recipe{EOS: noID}}
	if err := s.readPipeline(top); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if err := s.readAdded(top); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	unknown, err := s.readModel(top["model"])
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if err := s.readPostProcessor(top["post_processor"]); err != nil {
		return nil, fmt.Errorf("tokenizer.json: post_processor: %w", err)
	}
	if err := s.readEnds(); err != nil {
		return nil, err
	}
	return s.build(unknown)
}

// readPipeline reads what is done around the model: it tells byte-level BPE from
// the other models that a tokenizer.json may hold.
func (s *spelled) readPipeline(top object) error {
	if !top.has("model") || !top.has("pre_tokenizer") {
		return fmt.Errorf("no model or no pre_tokenizer, so not byte-level BPE; give tokenizer.model: %w", ErrUnsupported)
	}
	var model struct{ Type *string }
	if err := json.Unmarshal(top["model"], &model); err != nil {
		return fmt.Errorf("model: %w: %w", err, ErrMalformed)
	}
	if model.Type != nil && *model.Type != "BPE" {
		return fmt.Errorf("model %q, want \"BPE\"; give tokenizer.model: %w", *model.Type, ErrUnsupported)
	}
	if err := s.readNormalizer(top["normalizer"], 0); err != nil {
		return fmt.Errorf("normalizer: %w", err)
	}
	byteLevel := false
	if err := s.readPreTokenizer(top["pre_tokenizer"], &byteLevel, 0); err != nil {
		return fmt.Errorf("pre_tokenizer: %w", err)
	}
	if !byteLevel {
		return fmt.Errorf("pre_tokenizer: no ByteLevel, so not byte-level BPE; give tokenizer.model: %w", ErrUnsupported)
	}
	if top.has("decoder") {
		decoder, kind, err := typed(top["decoder"])
		if err != nil {
			return fmt.Errorf("decoder: %w", err)
		}
		if kind != "ByteLevel" {
			return fmt.Errorf("decoder %q, want \"ByteLevel\" (%d fields): %w", kind, len(decoder), ErrUnsupported)
		}
	}
	return nil
}

// typed reads an object with a field "type".
func typed(data json.RawMessage) (object, string, error) {
	o, err := readObject("value", data)
	if err != nil {
		return nil, "", err
	}
	var kind string
	if err := o.read("type", &kind); err != nil {
		return nil, "", err
	}
	if kind == "" {
		return nil, "", fmt.Errorf("no type: %w", ErrMalformed)
	}
	return o, kind, nil
}

func isNull(data json.RawMessage) bool {
	return len(data) == 0 || string(data) == "null"
}

// maxNested bounds Sequences within Sequences.
const maxNested = 8

// readNormalizer reads null, NFC or a Sequence of them.
func (s *spelled) readNormalizer(data json.RawMessage, depth int) error {
	if isNull(data) {
		return nil
	}
	o, kind, err := typed(data)
	if err != nil {
		return err
	}
	switch {
	case kind == "NFC":
		s.recipe.NFC = true
		return nil
	case kind != "Sequence":
		return fmt.Errorf("%q is not byte-level BPE's; give tokenizer.model: %w", kind, ErrUnsupported)
	}
	return eachNested(o, "normalizers", depth, func(item json.RawMessage) error {
		return s.readNormalizer(item, depth+1)
	})
}

// eachNested visits the items of a Sequence.
func eachNested(o object, key string, depth int, visit func(item json.RawMessage) error) error {
	if depth >= maxNested {
		return fmt.Errorf("sequences nested %d deep: %w", depth+1, ErrTooLarge)
	}
	items, err := o.array(key)
	if err != nil {
		return err
	}
	for i, item := range items {
		if err := visit(item); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	return nil
}

// readPreTokenizer adds the steps of a pre-tokenizer.
func (s *spelled) readPreTokenizer(data json.RawMessage, byteLevel *bool, depth int) error {
	o, kind, err := typed(data)
	if err != nil {
		return err
	}
	if *byteLevel {
		return fmt.Errorf("%q behind ByteLevel: %w", kind, ErrUnsupported)
	}
	switch kind {
	case "Sequence":
		return eachNested(o, "pretokenizers", depth, func(item json.RawMessage) error {
			return s.readPreTokenizer(item, byteLevel, depth+1)
		})
	case "ByteLevel":
		*byteLevel = true
		prefix, split := true, true
		if err := o.read("add_prefix_space", &prefix); err != nil {
			return err
		}
		if err := o.read("use_regex", &split); err != nil {
			return err
		}
		if prefix {
			s.recipe.Split = append(s.recipe.Split, prefixSpace)
		}
		if split {
			s.recipe.Split = append(s.recipe.Split, splitGPT2)
		}
		return nil
	case "Digits":
		each := false
		if err := o.read("individual_digits", &each); err != nil {
			return err
		}
		step := splitDigits
		if each {
			step = splitDigit
		}
		s.recipe.Split = append(s.recipe.Split, step)
		return nil
	case "Split":
		return s.readSplit(o)
	}
	return fmt.Errorf("%q is not byte-level BPE's; give tokenizer.model: %w", kind, ErrUnsupported)
}

// readSplit reads a cut by one of the known expressions, which match everywhere:
// to keep the matches apart, and to remove what lies between them, are one.
func (s *spelled) readSplit(o object) error {
	var pattern struct{ Regex string }
	var behavior string
	invert := false
	if err := o.read("pattern", &pattern); err != nil {
		return err
	}
	if err := o.read("behavior", &behavior); err != nil {
		return err
	}
	if err := o.read("invert", &invert); err != nil {
		return err
	}
	step := splitOfPattern(pattern.Regex)
	if step == "" {
		return fmt.Errorf("pattern %q: only those of GPT-2, Llama 3, cl100k and Qwen2 are known: %w", o["pattern"], ErrUnsupported)
	}
	if !(behavior == "Isolated" && !invert) && !(behavior == "Removed" && invert) {
		return fmt.Errorf("behavior %q with invert %v: %w", behavior, invert, ErrUnsupported)
	}
	s.recipe.Split = append(s.recipe.Split, step)
	return nil
}

// readAdded reads the added tokens.
func (s *spelled) readAdded(top object) error {
	items, err := top.array("added_tokens")
	if err != nil {
		return err
	}
	if len(items) > maxPieces {
		return fmt.Errorf("%d added tokens, limit %d: %w", len(items), maxPieces, ErrTooLarge)
	}
	for i, item := range items {
		token, err := readAddedToken(item)
		if err != nil {
			return fmt.Errorf("added token %d: %w", i, err)
		}
		s.recipe.Added = append(s.recipe.Added, token)
	}
	return nil
}

// readModel reads vocabulary and merges. It returns unk_token, if there is one.
func (s *spelled) readModel(data json.RawMessage) (unknown string, err error) {
	o, err := readObject("model", data)
	if err != nil {
		return "", err
	}
	if o.has("dropout") && string(o["dropout"]) != "0" && string(o["dropout"]) != "0.0" {
		return "", fmt.Errorf("model: dropout %.20s: %w", o["dropout"], ErrUnsupported)
	}
	for _, key := range []string{"continuing_subword_prefix", "end_of_word_suffix"} {
		mark := ""
		if err := o.read(key, &mark); err != nil {
			return "", err
		}
		if mark != "" {
			return "", fmt.Errorf("model: %s %q: %w", key, mark, ErrUnsupported)
		}
	}
	byteFallback := false
	for key, into := range map[string]any{
		"unk_token": &unknown, "fuse_unk": &s.recipe.FuseUnknown,
		"ignore_merges": &s.recipe.WholeWords, "byte_fallback": &byteFallback,
	} {
		if err := o.read(key, into); err != nil {
			return "", fmt.Errorf("model: %w", err)
		}
	}
	if !o.has("vocab") {
		return "", fmt.Errorf("model: no vocab: %w", ErrMalformed)
	}
	if s.vocab, err = readVocabulary("model: vocab", o["vocab"]); err != nil {
		return "", err
	}
	if missing := s.missingByte(newLetterTable()); missing != "" && byteFallback {
		return "", fmt.Errorf("model: byte_fallback, and the byte letter %q is no token: %w", missing, ErrUnsupported)
	}
	return unknown, s.readMerges(o)
}

// readMerges reads merges of either spelling: "a b" or ["a","b"].
func (s *spelled) readMerges(model object) error {
	items, err := model.array("merges")
	if err != nil {
		return err
	}
	if len(items) > maxPieces {
		return fmt.Errorf("model: %d merges, limit %d: %w", len(items), maxPieces, ErrTooLarge)
	}
	s.merges = make([][2]string, len(items))
	for i, item := range items {
		var line string
		var sides []string
		ok := false
		if json.Unmarshal(item, &line) == nil {
			s.merges[i], ok = splitMerge(line)
		} else if json.Unmarshal(item, &sides) == nil && len(sides) == 2 {
			s.merges[i], ok = [2]string(sides), true
		}
		if !ok {
			return fmt.Errorf("model: merge %d: %.80s, want two tokens: %w", i, item, ErrMalformed)
		}
	}
	return nil
}
