#include "check.hpp"

namespace {

bool chosen(const std::string& name, int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (name.find(argv[i]) != std::string::npos) return true;
  return argc < 2;
}

}  // namespace

int main(int argc, char** argv) {
  int run = 0;
  for (const auto& test : mlwright::tests::all_tests()) {
    if (!chosen(test.name, argc, argv)) continue;
    ++run;
    const int before = mlwright::tests::failures;
    try {
      test.run();
    } catch (const std::exception& e) {
      mlwright::tests::fail(test.name.c_str(), 0, std::string("ended by an exception: ") + e.what());
    }
    if (mlwright::tests::failures > before) std::printf("FAILED %s\n", test.name.c_str());
  }
  std::printf("%d tests, %d failures\n", run, mlwright::tests::failures);
  return run > 0 && mlwright::tests::failures == 0 ? 0 : 1;
}
