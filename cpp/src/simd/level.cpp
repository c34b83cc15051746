#include "simd/level.hpp"

#include <atomic>
#include <cstdlib>
#include <string>

#include "mlwright/base/error.hpp"

namespace mlwright::simd {
namespace {

#if defined(__x86_64__)
constexpr const char* kNames[kLevels] = {"v2", "v3", "v4"};

bool cpu_has(Level level) {
  switch (level) {
    case Level::v2: return __builtin_cpu_supports("x86-64-v2");
    case Level::v3: return __builtin_cpu_supports("x86-64-v3");
    case Level::v4: return __builtin_cpu_supports("x86-64-v4");
  }
  return false;
}
#else
constexpr const char* kNames[kLevels] = {"generic"};

bool cpu_has(Level) { return true; }
#endif

void require(Level level) {
  if (!cpu_has(level))
    throw InvalidArgument(std::string("SIMD level ") + level_name(level) +
                          ": this CPU does not have its instructions; expected one of the levels that "
                          "mlwright.show_versions() lists; unset MLWRIGHT_SIMD to let mlwright choose");
}

Level detect() {
  if (const char* forced = std::getenv("MLWRIGHT_SIMD"); forced != nullptr && *forced != '\0') {
    const Level level = level_from_name(forced);
    require(level);
    return level;
  }
  const auto levels = supported_levels();
  return levels.empty() ? static_cast<Level>(0) : levels.back();
}

std::atomic<int> chosen{-1};  // -1: not yet detected

}  // namespace

Level active_level() {
  int level = chosen.load(std::memory_order_relaxed);
  if (level < 0) [[unlikely]] {
    level = static_cast<int>(detect());
    chosen.store(level, std::memory_order_relaxed);
  }
  return static_cast<Level>(level);
}

void set_level(Level level) {
  require(level);
  chosen.store(static_cast<int>(level), std::memory_order_relaxed);
}

Level level_from_name(std::string_view name) {
  for (int i = 0; i < kLevels; ++i)
    if (name == kNames[i]) return static_cast<Level>(i);
  std::string known;
  for (const char* k : kNames) known += known.empty() ? k : std::string(", ") + k;
  throw InvalidArgument("SIMD level (MLWRIGHT_SIMD): got '" + std::string(name) + "', expected one of " + known);
}

const char* level_name(Level level) noexcept { return kNames[static_cast<int>(level)]; }

std::vector<Level> supported_levels() {
  std::vector<Level> levels;
  for (int i = 0; i < kLevels; ++i)
    if (cpu_has(static_cast<Level>(i))) levels.push_back(static_cast<Level>(i));
  return levels;
}

}  // namespace mlwright::simd
