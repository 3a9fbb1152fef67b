package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// conditions are the branches of Go's assembler by the condition's name.
var conditions = map[string]string{
	"eq": "BEQ", "ne": "BNE", "hs": "BHS", "cs": "BHS", "lo": "BLO", "cc": "BLO",
	"mi": "BMI", "pl": "BPL", "vs": "BVS", "vc": "BVC", "hi": "BHI", "ls": "BLS",
	"ge": "BGE", "lt": "BLT", "gt": "BGT", "le": "BLE",
}

// elsewhere are instructions that leave the function or take addresses in it.
var elsewhere = []string{"bl", "br", "blr", "adr", "adrp", "svc", "brk"}

var addressOf = regexp.MustCompile(`^ldr (x\d+), =([A-Za-z_]\w*)$`)

// goInstruction is the instruction in Go's own syntax where its word depends on
// where things lie: branches, ret, addresses of tables. It is empty for others.
func (t *translator) goInstruction(text string) (string, error) {
	mnemonic, rest, _ := strings.Cut(text, " ")
	operands := strings.Split(rest, ", ")
	condition, conditional := strings.CutPrefix(mnemonic, "b.")
	if !conditional && len(mnemonic) == 3 && mnemonic[0] == 'b' {
		condition, conditional = mnemonic[1:], conditions[mnemonic[1:]] != ""
	}
	switch {
	case mnemonic == "ret":
		if rest != "" {
			return "", fmt.Errorf("%w: ret takes no register here", errSource)
		}
		return t.results() + "RET", nil
	case mnemonic == "b":
		return "B " + t.local(rest), nil
	case conditional:
		if conditions[condition] == "" {
			return "", fmt.Errorf("%w: condition %q", errSource, condition)
		}
		return conditions[condition] + " " + t.local(rest), nil
	case mnemonic == "cbz" || mnemonic == "cbnz":
		return fmt.Sprintf("%s%s %s, %s", strings.ToUpper(mnemonic), width(operands[0]), goRegister(operands[0]), t.local(operands[1])), nil
	case mnemonic == "tbz" || mnemonic == "tbnz":
		return fmt.Sprintf("%s $%s, %s, %s", strings.ToUpper(mnemonic), strings.TrimPrefix(operands[1], "#"), goRegister(operands[0]), t.local(operands[2])), nil
	case slices.Contains(elsewhere, mnemonic):
		return "", fmt.Errorf("%w: functions are leaves, and addresses are ldr x…, =table", errSource)
	}
	if m := addressOf.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("MOVD $%s<>(SB), %s", m[2], goRegister(m[1])), nil
	}
	if strings.Contains(rest, "=") {
		return "", fmt.Errorf("%w: only ldr x…, =table", errSource)
	}
	return "", nil
}

// width is the suffix of CBZ and CBNZ for w registers.
func width(register string) string {
	if register[0] == 'w' {
		return "W"
	}
	return ""
}

// results stores the results, a line each, before RET.
func (t *translator) results() string {
	var s strings.Builder
	for _, o := range t.current.results {
		fmt.Fprintf(&s, "%s %s, %s+%d(FP)\n\t", o.kind.store, goRegister(o.register), o.name, o.offset)
	}
	return s.String()
}
