// Instructions that Go's assembler lacks, as words. Arguments are register
// numbers; the comment is the instruction in the syntax of the Arm manual.

// fmla v(d).4s, v(n).4s, v(m).s[i]
#define FMLA_LANE_4S(d, n, m, i) WORD $(0x4F801000 | ((i)&1)<<21 | (m)<<16 | ((i)>>1)<<11 | (n)<<5 | (d))

// fadd v(d).4s, v(n).4s, v(m).4s
#define FADD_4S(d, n, m) WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))
