#include "mlwright/runtime/cancel.hpp"

#include <thread>

#include "check.hpp"

using namespace mlwright;
using mlwright::runtime::CancelToken;

namespace {

class Asked final : public CancelToken {
 public:
  int times = 0;
  bool answer = false;

 private:
  bool wants_to_stop() noexcept override {
    ++times;
    return answer;
  }
};

void wait_for_the_next_question() { std::this_thread::sleep_for(CancelToken::kPollInterval + std::chrono::milliseconds(5)); }

}  // namespace

TEST(cancel_asks_once_an_interval) {
  Asked token;
  for (int i = 0; i < 1000; ++i) token.poll();
  CHECK(token.times == 0);  // a short call never asks
  wait_for_the_next_question();
  for (int i = 0; i < 1000; ++i) token.poll();
  CHECK(token.times == 1);
}

TEST(cancel_poll_throws_and_goes_on_throwing) {
  Asked token;
  token.answer = true;
  wait_for_the_next_question();
  CHECK(CHECK_THROWS(Cancelled, token.poll()) == "cancelled by the caller");
  CHECK(token.cancelled());
  CHECK_THROWS(Cancelled, token.poll());
  CHECK(token.times == 1);  // what was answered is not asked again
}

TEST(cancel_from_elsewhere) {
  Asked token;
  std::thread([&] { token.cancel(); }).join();
  CHECK(token.ask_if_due());
  CHECK(token.times == 0);
}
