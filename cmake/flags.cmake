# One function instead of an interface target: an interface target would leak into install(EXPORT).
function(mlwright_flags target)
  # No contraction: a fused multiply-add rounds once, so levels with and without FMA would differ in bits.
  target_compile_options(${target} PRIVATE
    -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-align -Wno-psabi)
  if(MLWRIGHT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(MLWRIGHT_SANITIZE)
    target_compile_options(${target} PRIVATE -O1 -g -fno-omit-frame-pointer -fsanitize=${MLWRIGHT_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${MLWRIGHT_SANITIZE})
  endif()
endfunction()
