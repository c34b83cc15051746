// A test framework in one page: TEST(name) { CHECK(condition); } in any file of this folder.
//
// main.cpp runs every test, or those whose name contains an argument of the command line.
#pragma once

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace mlwright::tests {

struct Test {
  std::string name;
  void (*run)();
};

inline std::vector<Test>& all_tests() {
  static std::vector<Test> tests;
  return tests;
}

inline int failures = 0;  // on the main thread only: check in bodies by collecting what they saw

inline void fail(const char* file, int line, const std::string& what) {
  ++failures;
  std::printf("%s:%d: %s\n", file, line, what.c_str());
}

// The message of the E that call() throws; a failure if it throws none or another.
template <class E, class Call>
std::string message_of(Call&& call, const char* file, int line) {
  try {
    call();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    fail(file, line, std::string("another exception: ") + e.what());
    return "";
  }
  fail(file, line, "no exception");
  return "";
}

}  // namespace mlwright::tests

#define TEST(name)                                                                                  \
  static void test_##name();                                                                        \
  static const bool listed_##name =                                                                 \
      (mlwright::tests::all_tests().push_back({#name, &test_##name}), true);                        \
  static void test_##name()

#define CHECK(condition)                                                                            \
  do {                                                                                              \
    if (!(condition)) mlwright::tests::fail(__FILE__, __LINE__, "CHECK(" #condition ")");           \
  } while (false)

#define CHECK_THROWS(E, expression)                                                                 \
  mlwright::tests::message_of<E>([&] { static_cast<void>(expression); }, __FILE__, __LINE__)
