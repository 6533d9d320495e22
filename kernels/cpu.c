/* sched_setaffinity and the auxiliary vector are Linux's own; everything else stays POSIX. */
#define _GNU_SOURCE
#include "kernels/cpu.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#if defined(__x86_64__)
#include <cpuid.h>

struct cpuid {
    unsigned eax, ebx, ecx, edx;
};

static struct cpuid cpuid(unsigned leaf, unsigned subleaf)
{
    struct cpuid r = {0};
    if (!__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx))
        memset(&r, 0, sizeof r);
    return r;
}

static uint64_t enabled_state(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool has(unsigned word, unsigned bits)
{
    return (word & bits) == bits;
}

unsigned cpu_detect(void)
{
    enum { OSXSAVE = 1 << 27, AVX = 1 << 28, FMA = 1 << 12, F16C = 1 << 29, AVX2 = 1 << 5 };
    enum { AVX512F = 1 << 16, AVX512DQ = 1 << 17, AVX512BW = 1 << 30 };
    enum { VNNI = 1 << 11, VPOPCNTDQ = 1 << 14, BF16 = 1 << 5 };
    const unsigned avx512vl = 1u << 31;
    enum { YMM_STATE = 0x6, ZMM_STATE = 0xe6 };

    struct cpuid basic = cpuid(1, 0), extended = cpuid(7, 0), more = cpuid(7, 1);
    unsigned isa = ISA_PORTABLE;
    if (!has(basic.ecx, OSXSAVE | AVX | FMA | F16C) || !has(extended.ebx, AVX2))
        return isa;
    uint64_t state = enabled_state();
    if ((state & YMM_STATE) != YMM_STATE)
        return isa;
    isa |= ISA_AVX2;
    if (!has(extended.ebx, AVX512F | AVX512DQ | AVX512BW | avx512vl) || !has(extended.ecx, VNNI) ||
        (state & ZMM_STATE) != ZMM_STATE)
        return isa;
    isa |= ISA_AVX512;
    if (has(more.eax, BF16))
        isa |= ISA_AVX512_BF16;
    if (has(extended.ecx, VPOPCNTDQ))
        isa |= ISA_AVX512_POPCNT;
    return isa;
}

#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

unsigned cpu_detect(void)
{
    const unsigned long need = HWCAP_ASIMD | HWCAP_ASIMDDP | HWCAP_ASIMDHP;
    return (getauxval(AT_HWCAP) & need) == need ? ISA_NEON : ISA_PORTABLE;
}

#else

unsigned cpu_detect(void)
{
    return ISA_PORTABLE;
}

#endif

enum status cpu_isa(const char *name, unsigned *isa, struct err *err)
{
    static const struct {
        const char *name;
        unsigned allowed, needed;
    } choices[] = {
        {"best", ~0u, 0},
        {"portable", 0, 0},
        {"avx2", ISA_AVX2, ISA_AVX2},
        {"avx512", ISA_AVX2 | ISA_AVX512 | ISA_AVX512_BF16 | ISA_AVX512_POPCNT, ISA_AVX512},
        {"neon", ISA_NEON, ISA_NEON},
    };
    enum { N_CHOICES = sizeof choices / sizeof *choices };

    if (name == NULL)
        name = getenv("LATHE_ISA");
    if (name == NULL || *name == '\0')
        name = "best";
    unsigned here = cpu_detect();
    const char *names[N_CHOICES];
    for (size_t i = 0; i < N_CHOICES; i++) {
        names[i] = choices[i].name;
        if (strcmp(name, choices[i].name) != 0)
            continue;
        if ((here & choices[i].needed) != choices[i].needed)
            return err_set(err, STATUS_UNSUPPORTED, "this machine cannot run '%s' kernels", name);
        *isa = here & choices[i].allowed;
        return STATUS_OK;
    }
    const char *nearest = text_nearest(name, names, N_CHOICES);
    return err_set(err, STATUS_USAGE, "unknown instruction set '%s': %s%s%s", name,
                   nearest ? "did you mean '" : "expected best, portable, avx2, avx512 or neon",
                   nearest ? nearest : "", nearest ? "'?" : "");
}

char *cpu_isa_names(unsigned isa, char *buffer, size_t size)
{
    static const char *const names[] = {"avx2", "avx512", "avx512-bf16", "avx512-popcnt", "neon"};
    size_t used = 0;
    snprintf(buffer, size, "portable");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (isa >> i & 1 && used < size)
            used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? " " : "", names[i]);
    }
    return buffer;
}

static bool value_of_line(const char *line, const char *key, char *buffer, size_t size)
{
    const char *colon = strchr(line, ':');
    if (strncmp(line, key, strlen(key)) != 0 || colon == NULL || colon[1] == '\0')
        return false;
    snprintf(buffer, size, "%s", colon + 2);
    buffer[strcspn(buffer, "\n")] = '\0';
    return *buffer != '\0';
}

char *cpu_model(char *buffer, size_t size)
{
    char line[512];
    bool found = false;
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info != NULL && !found && fgets(line, sizeof line, info) != NULL)
        found = value_of_line(line, "model name", buffer, size) ||
                value_of_line(line, "Hardware", buffer, size);
    if (info != NULL)
        fclose(info);
    if (!found)
        snprintf(buffer, size, "unknown");
    return buffer;
}

void cpu_pin_thread(int index)
{
#if defined(__linux__)
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0)
        return;
    int skip = index % CPU_COUNT(&allowed);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || skip-- > 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return;
    }
#else
    (void)index;
#endif
}
