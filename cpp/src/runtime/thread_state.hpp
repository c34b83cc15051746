// What a thread knows about itself: its limit, and its place in the region it works in.
#pragma once

namespace mlwright::runtime {

enum class Role : int {
  outside,  // in no region: the next one it starts may be parallel
  caller,   // started the region it is in; may poll the token
  helper,   // a worker of the pool; only looks at the token's flag
};

struct ThreadState {
  int limit = 0;  // innermost ThreadLimit; 0: none
  int slot = 0;
  Role role = Role::outside;
};

inline thread_local ThreadState this_thread;

// While a thread works in a region, or serially in a region within one. Slot 0 in either: the scratch memory of a region
// within a region has one place.
class InRegion {
 public:
  explicit InRegion(Role role) noexcept : role_before_(this_thread.role), slot_before_(this_thread.slot) {
    this_thread.role = role;
    this_thread.slot = 0;
  }
  ~InRegion() {
    this_thread.role = role_before_;
    this_thread.slot = slot_before_;
  }
  InRegion(const InRegion&) = delete;
  InRegion& operator=(const InRegion&) = delete;

 private:
  const Role role_before_;
  const int slot_before_;
};

}  // namespace mlwright::runtime
