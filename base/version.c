#include "base/version.h"

#include "commit.h"

const char *version_number(void)
{
    return LATHE_VERSION;
}

const char *version_commit(void)
{
    return LATHE_COMMIT;
}

const char *version_compiler(void)
{
#ifdef __clang__
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}

const char *version_flags(void)
{
    return LATHE_FLAGS;
}
