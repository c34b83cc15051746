// A large array of plain values: aligned to cache lines, not initialised, on huge pages where the system has them.
//
// Rows of 32 or 64 bytes that start on a cache line cost one miss and not two, and scattered reads of a table of tens of
// megabytes miss the second-level TLB at 4 KiB pages: together 5-8 % of a histogram of few rows. Memory of megabytes goes back
// to the system with its buffer; what malloc keeps for later counts for as much as what is in use.
// Not copyable; a moved-from buffer is empty. Throws std::bad_alloc.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace mlwright {

void* allocate_lines(std::size_t bytes);
void free_lines(void* memory, std::size_t bytes) noexcept;

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : data_(static_cast<T*>(allocate_lines(size * sizeof(T)))), size_(size) {}
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() { free_lines(data_, size_ * sizeof(T)); }

  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size_; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

// Gives the system what malloc holds free, where there is a way: after work on many vectors that were each too short for a
// buffer. Takes milliseconds.
void return_free_memory() noexcept;

}  // namespace mlwright
