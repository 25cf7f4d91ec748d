# Writes OUTPUT, the source of build_info(), and touches it only if something changed: run at each build.
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit ERROR_QUIET
                OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
set(dirty false)
if(failed)
  set(commit unknown)
else()
  execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
  if(changes)
    set(dirty true)
  endif()
endif()
set(text "// Written by experiments/build_info.cmake.
#include \"experiments/machine/build_info.h\"

const iolab::lab::BuildInfo& iolab::lab::build_info() {
  static constexpr BuildInfo kInfo{\"${commit}\", ${dirty}, \"${COMPILER}\", \"${BUILD_TYPE}\", \"${FLAGS}\",
                                   \"${SOURCE}\", \"${VERSION}\"};
  return kInfo;
}
")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
