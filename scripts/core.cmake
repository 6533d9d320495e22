# A core build has what prices and runs networks on a device: the closed form, kernels, runtime and
# what they stand on. It needs no library, so that a cross compiler and libc are enough for a static
# program to push to a phone. Files that read JSON, ask hwloc or include a folder above the core are
# left out.
set(beyond_core "\"(store_|(db|quality|exact|calibrate|fit|validate|simulator|paper|search|plots|cli)/)|\"base/(json|ranges)|\"model/(hf_|preset|stack_json)|\"timing/topology|\"device/(device|profile_write)\\.h")
string(APPEND beyond_core "|<(cjson/)?cJSON.h>|<hwloc.h>|<sqlite3.h>")

function(keep_core list_name)
  if(NOT LATHE_CORE)
    return()
  endif()
  set(kept "")
  foreach(source IN LISTS ${list_name})
    file(STRINGS ${source} beyond REGEX "^#include (${beyond_core})")
    if(NOT beyond)
      list(APPEND kept ${source})
    endif()
  endforeach()
  set(${list_name} ${kept} PARENT_SCOPE)
endfunction()

if(LATHE_CORE)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a) # OpenMP's too: the program is to run where no library is
endif()
