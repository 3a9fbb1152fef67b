// Instructions that Go's assembler lacks, as words. Arguments are register
// numbers, a lane i or a shift s; the comment is the instruction in the syntax
// of the Arm manual, and encoding_test.go compares each with its word.

// fmla v(d).4s, v(n).4s, v(m).s[i]
#define FMLA_LANE_4S(d, n, m, i) WORD $(0x4F801000 | ((i)&1)<<21 | (m)<<16 | ((i)>>1)<<11 | (n)<<5 | (d))

// fadd v(d).4s, v(n).4s, v(m).4s
#define FADD_4S(d, n, m) WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))

// faddp v(d).4s, v(n).4s, v(m).4s
#define FADDP_4S(d, n, m) WORD $(0x6E20D400 | (m)<<16 | (n)<<5 | (d))

// fsub v(d).4s, v(n).4s, v(m).4s
#define FSUB_4S(d, n, m) WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d))

// fmul v(d).4s, v(n).4s, v(m).4s
#define FMUL_4S(d, n, m) WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d))

// fdiv v(d).4s, v(n).4s, v(m).4s
#define FDIV_4S(d, n, m) WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d))

// fmax v(d).4s, v(n).4s, v(m).4s
#define FMAX_4S(d, n, m) WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d))

// fmin v(d).4s, v(n).4s, v(m).4s
#define FMIN_4S(d, n, m) WORD $(0x4EA0F400 | (m)<<16 | (n)<<5 | (d))

// fcmgt v(d).4s, v(n).4s, v(m).4s
#define FCMGT_4S(d, n, m) WORD $(0x6EA0E400 | (m)<<16 | (n)<<5 | (d))

// fmaxv s(d), v(n).4s
#define FMAXV_4S(d, n) WORD $(0x6E30F800 | (n)<<5 | (d))

// frintn v(d).4s, v(n).4s
#define FRINTN_4S(d, n) WORD $(0x4E218800 | (n)<<5 | (d))

// fcvtns v(d).4s, v(n).4s
#define FCVTNS_4S(d, n) WORD $(0x4E21A800 | (n)<<5 | (d))

// sshr v(d).4s, v(n).4s, #(s)
#define SSHR_4S(d, n, s) WORD $(0x4F000400 | (64-(s))<<16 | (n)<<5 | (d))
