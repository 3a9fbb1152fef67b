package cpu

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// dotName gives the name that dot_amd64.h should have for an instruction: the
// fields of its VEX or EVEX prefix and its ModR/M byte, by the manuals of Intel.
// It knows the forms that are there and fails on any other.
func dotName(code []byte) (string, error) {
	bit := func(b byte, n int) int { return int(b >> n & 1) }
	switch {
	case len(code) == 5 && code[0] == 0xc4 && code[3] == 0x50:
		// C4, RXB (inverted) and map 2, W vvvv (inverted) L pp, opcode, ModR/M.
		p, q, m := code[1], code[2], code[4]
		if p&31 != 2 || q&0x87 != 5 || m>>6 != 3 { // map 0F38, W 0, 256 bits, prefix 66, registers
			break
		}
		dst, second := 8*(1-bit(p, 7))+int(m>>3&7), 8*(1-bit(p, 5))+int(m&7)
		return fmt.Sprintf("VPDPBUSD_Y%d_Y%d_Y%d", second, 15-int(q>>3&15), dst), nil
	case len(code) == 6 && code[0] == 0x62 && code[4] == 0x52:
		// 62, RXBR' (inverted) and map 2, W vvvv (inverted) 1 pp, z L'L b V' aaa.
		p, q, r, m := code[1], code[2], code[3], code[5]
		if p&15 != 2 || q&0x87 != 6 || r&0xf7 != 0x40 || m>>6 != 3 { // map 0F38, W 0, prefix F3, 512 bits, no mask
			break
		}
		dst := 16*(1-bit(p, 4)) + 8*(1-bit(p, 7)) + int(m>>3&7)
		first := 16*(1-bit(r, 3)) + 15 - int(q>>3&15)
		second := 16*(1-bit(p, 6)) + 8*(1-bit(p, 5)) + int(m&7)
		return fmt.Sprintf("VDPBF16PS_Z%d_Z%d_Z%d", second, first, dst), nil
	}
	return "", fmt.Errorf("% x is neither VPDPBUSD nor VDPBF16PS of registers", code)
}

// The bytes of dot_amd64.h are the instructions that they are named for.
func TestDotBytes(t *testing.T) {
	text, err := os.ReadFile("dot_amd64.h")
	if err != nil {
		t.Fatal(err)
	}
	defines := regexp.MustCompile(`(?m)^#define (\S+) (.*)$`).FindAllSubmatch(text, -1)
	for _, define := range defines {
		var code []byte
		for _, b := range regexp.MustCompile(`BYTE \$(0x[0-9A-F]{2})(?:; |$)`).FindAllSubmatch(define[2], -1) {
			value, err := strconv.ParseUint(string(b[1]), 0, 8)
			if err != nil {
				t.Fatal(err)
			}
			code = append(code, byte(value))
		}
		if got, err := dotName(code); err != nil || got != string(define[1]) {
			t.Errorf("%s: % x is %q, %v", define[1], code, got, err)
		}
	}
	if len(defines) != 12+28 {
		t.Errorf("%d macros", len(defines))
	}
}
