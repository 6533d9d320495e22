/* Which instruction sets this machine can run, in tiers. A kernel row names the tiers it needs.
 *
 * A tier is set when the processor has all its features and the operating system saves its
 * registers (XCR0 on x86). Read from CPUID and HWCAP, since clang 14's __builtin_cpu_supports does
 * not know all features. CPUID traps in a virtual machine (tens of microseconds): ask once and keep
 * the answer. */
#ifndef LATHE_KERNELS_CPU_H
#define LATHE_KERNELS_CPU_H

#include <stddef.h>

#include "base/status.h"

enum {
    ISA_PORTABLE = 0,
    ISA_AVX2 = 1 << 0,          /* AVX2, FMA, F16C */
    ISA_AVX512 = 1 << 1,        /* AVX-512 F BW VL DQ VNNI: Ice Lake, Zen 4 and later */
    ISA_AVX512_BF16 = 1 << 2,   /* ... and BF16 */
    ISA_AVX512_POPCNT = 1 << 3, /* ... and VPOPCNTDQ */
    ISA_NEON = 1 << 4,          /* Advanced SIMD with dot product and half precision (ARMv8.2) */
};

/* What this machine can run. */
unsigned cpu_detect(void);

/* cpu_detect() narrowed to what `name` allows: "portable", "avx2", "avx512", "neon" (a tier with
 * those below it); NULL reads the environment variable LATHE_ISA, and without one (or "", "best")
 * allows all. Errors: STATUS_USAGE (no such name), STATUS_UNSUPPORTED (this machine lacks it). */
enum status cpu_isa(const char *name, unsigned *isa, struct err *err);

/* "avx2 avx512 ..." of the bits set, "portable" for none; returns `buffer`. */
char *cpu_isa_names(unsigned isa, char *buffer, size_t size);

/* The processor's own name ("AMD EPYC 9R14"), "unknown" where none is to be had. */
char *cpu_model(char *buffer, size_t size);

/* Binds the calling thread to processor number `index` modulo those it may use; where the system
 * has no such call nothing happens. */
void cpu_pin_thread(int index);

#endif
