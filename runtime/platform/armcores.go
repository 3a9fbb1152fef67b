package platform

import (
	"fmt"
	"strconv"
)

// armParts names cores by bits 4 to 15 of MIDR_EL1, the part number, where bits
// 24 to 31 say 0x41, Arm; from the technical reference manuals.
var armParts = map[uint64]string{
	0xd03: "Cortex-A53", 0xd04: "Cortex-A35", 0xd05: "Cortex-A55", 0xd07: "Cortex-A57",
	0xd08: "Cortex-A72", 0xd09: "Cortex-A73", 0xd0a: "Cortex-A75", 0xd0b: "Cortex-A76",
	0xd0c: "Neoverse N1", 0xd0d: "Cortex-A77", 0xd40: "Neoverse V1", 0xd41: "Cortex-A78",
	0xd44: "Cortex-X1", 0xd46: "Cortex-A510", 0xd47: "Cortex-A710", 0xd48: "Cortex-X2",
	0xd49: "Neoverse N2", 0xd4d: "Cortex-A715", 0xd4e: "Cortex-X3", 0xd4f: "Neoverse V2",
	0xd80: "Cortex-A520", 0xd81: "Cortex-A720", 0xd82: "Cortex-X4", 0xd85: "Cortex-X925",
	0xd87: "Cortex-A725",
}

// armCore names the core of a MIDR_EL1 as Linux writes it, "0x00000000411fd050".
// Of other makers' cores it gives the numbers, and of no register nothing.
func armCore(midr string) string {
	value, err := strconv.ParseUint(midr, 0, 64)
	if err != nil {
		return ""
	}
	maker, part := value>>24&0xff, value>>4&0xfff
	if name := armParts[part]; maker == 0x41 && name != "" {
		return name
	}
	return fmt.Sprintf("maker 0x%02x part 0x%03x", maker, part)
}
