// Which instruction set the kernels use, chosen once when the library is loaded.
//
// Detected from the CPU; MLWRIGHT_SIMD=v2|v3|v4 forces a lower one (a level that the CPU lacks is an error at first
// use). set_level() is for tests, which run every kernel at every level in one process.
#pragma once

#include <string_view>
#include <vector>

namespace mlwright::simd {

#if defined(__x86_64__)
enum class Level : int { v2 = 0, v3 = 1, v4 = 2 };
inline constexpr int kLevels = 3;
#else
enum class Level : int { generic = 0 };
inline constexpr int kLevels = 1;
#endif

Level active_level();
void set_level(Level level);                 // throws InvalidArgument where the CPU lacks it
Level level_from_name(std::string_view name);  // throws InvalidArgument
const char* level_name(Level level) noexcept;
std::vector<Level> supported_levels();

// A family of kernels is a struct of function pointers `Table`, one constant of it a level, in level order.
template <class Table>
const Table& active(const Table* const (&tables)[kLevels]) {
  return *tables[static_cast<int>(active_level())];
}

}  // namespace mlwright::simd

// MLWRIGHT_SIMD_TABLES(MathTable, math) declares the tables that kernels/math.cpp defines as
// `const MathTable math_table = {...}` in namespace MLWRIGHT_SIMD_NAMESPACE, and math(), the active one.
#if defined(__x86_64__)
#define MLWRIGHT_SIMD_TABLES(Table, name)                                                          \
  namespace level_v2 { extern const Table name##_table; }                                          \
  namespace level_v3 { extern const Table name##_table; }                                          \
  namespace level_v4 { extern const Table name##_table; }                                          \
  inline const Table& name() {                                                                     \
    static constexpr const Table* tables[] = {&level_v2::name##_table, &level_v3::name##_table,    \
                                              &level_v4::name##_table};                            \
    return active(tables);                                                                         \
  }
#else
#define MLWRIGHT_SIMD_TABLES(Table, name)                                                          \
  namespace level_generic { extern const Table name##_table; }                                     \
  inline const Table& name() {                                                                     \
    static constexpr const Table* tables[] = {&level_generic::name##_table};                       \
    return active(tables);                                                                         \
  }
#endif
