#include "mlwright/base/buffer.hpp"

#include <cstdlib>
#include <limits>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace mlwright {
namespace {

constexpr std::size_t kLine = 64, kHugePage = std::size_t{2} << 20;

}  // namespace

void* allocate_lines(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - kHugePage) throw std::bad_alloc();
  const bool huge = bytes >= 2 * kHugePage;
  const std::size_t unit = huge ? kHugePage : kLine;
  void* memory = std::aligned_alloc(unit, bytes == 0 ? unit : (bytes + unit - 1) / unit * unit);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (huge) madvise(memory, bytes, MADV_HUGEPAGE);  // advice: nothing depends on its success
#endif
  return memory;
}

void free_lines(void* memory) noexcept { std::free(memory); }

}  // namespace mlwright
