#include "mlwright/base/buffer.hpp"

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

// A sanitizer watches what malloc gives out.
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MLWRIGHT_MAPS_BUFFERS 1
#include <sys/mman.h>
#else
#define MLWRIGHT_MAPS_BUFFERS 0
#endif

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace mlwright {
namespace {

constexpr std::size_t kLine = 64, kPage = 4096, kHugePage = std::size_t{2} << 20;

std::size_t rounded_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

#if MLWRIGHT_MAPS_BUFFERS
bool is_mapped(std::size_t bytes) { return bytes >= 2 * kHugePage; }

// Aligned to huge pages: a longer stretch, less its ends.
void* map_huge(std::size_t bytes) {
  const std::size_t size = rounded_up(bytes, kPage), reserved = size + kHugePage;
  void* const memory = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  char* const begin = static_cast<char*>(memory);
  const std::size_t before = rounded_up(reinterpret_cast<std::uintptr_t>(begin), kHugePage) - reinterpret_cast<std::uintptr_t>(begin);
  char* const aligned = begin + before;
  if (before > 0) munmap(begin, before);
  if (before < kHugePage) munmap(aligned + size, kHugePage - before);
#if defined(MADV_HUGEPAGE)
  // Advice: nothing depends on its success. The end keeps small pages: the rest of a huge one would be memory for nothing.
  madvise(aligned, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return aligned;
}
#endif

}  // namespace

void* allocate_lines(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - 2 * kHugePage) throw std::bad_alloc();
#if MLWRIGHT_MAPS_BUFFERS
  if (is_mapped(bytes)) return map_huge(bytes);
#endif
  void* memory = std::aligned_alloc(kLine, bytes == 0 ? kLine : rounded_up(bytes, kLine));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void free_lines(void* memory, std::size_t bytes) noexcept {
#if MLWRIGHT_MAPS_BUFFERS
  if (is_mapped(bytes)) {
    munmap(memory, rounded_up(bytes, kPage));
    return;
  }
#else
  static_cast<void>(bytes);
#endif
  std::free(memory);
}

void return_free_memory() noexcept {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace mlwright
