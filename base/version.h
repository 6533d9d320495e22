/* Which lathe this is: stored with every result. */
#ifndef LATHE_BASE_VERSION_H
#define LATHE_BASE_VERSION_H

const char *version_number(void); /* "0.1.0" */
const char *version_commit(void); /* "6883fad0c1d2", "...-dirty", or "unknown" outside a checkout */
const char *version_compiler(void); /* "gcc 12.2.0" */
const char *version_flags(void); /* the build type's flags, without those of an instruction set */

#endif
