#pragma once
#include "pinfold/callbacks.hpp"
#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#if __cplusplus >= 201703L
#include <string_view>
#endif
#if __cplusplus >= 202002L
#include <ranges>
#endif

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdollar-in-identifier-extension"
#endif // __clang__

namespace rust {
inline namespace cxxbridge1 {
// #include "rust/cxx.h"

#ifndef CXXBRIDGE1_PANIC
#define CXXBRIDGE1_PANIC
template <typename Exception>
void panic [[noreturn]] (const char *msg);
#endif // CXXBRIDGE1_PANIC

struct unsafe_bitcopy_t;

namespace {
template <typename T>
class impl;
} // namespace

template <typename T>
::std::size_t size_of();
template <typename T>
::std::size_t align_of();

#ifndef CXXBRIDGE1_RUST_STRING
#define CXXBRIDGE1_RUST_STRING
class String final {
public:
  String() noexcept;
  String(const String &) noexcept;
  String(String &&) noexcept;
  ~String() noexcept;

  String(const std::string &);
  String(const char *);
  String(const char *, std::size_t);
  String(const char16_t *);
  String(const char16_t *, std::size_t);
#ifdef __cpp_char8_t
  String(const char8_t *s);
  String(const char8_t *s, std::size_t len);
#endif

  static String lossy(const std::string &) noexcept;
  static String lossy(const char *) noexcept;
  static String lossy(const char *, std::size_t) noexcept;
  static String lossy(const char16_t *) noexcept;
  static String lossy(const char16_t *, std::size_t) noexcept;

  String &operator=(const String &) & noexcept;
  String &operator=(String &&) & noexcept;

  explicit operator std::string() const;

  const char *data() const noexcept;
  char *data() noexcept;

  std::size_t size() const noexcept;
  std::size_t length() const noexcept;
  bool empty() const noexcept;

  const char *c_str() noexcept;

  std::size_t capacity() const noexcept;
  void reserve(size_t new_cap) noexcept;

  using iterator = char *;
  iterator begin() noexcept;
  iterator end() noexcept;

  using const_iterator = const char *;
  const_iterator begin() const noexcept;
  const_iterator end() const noexcept;
  const_iterator cbegin() const noexcept;
  const_iterator cend() const noexcept;

  bool operator==(const String &) const noexcept;
  bool operator!=(const String &) const noexcept;
  bool operator<(const String &) const noexcept;
  bool operator<=(const String &) const noexcept;
  bool operator>(const String &) const noexcept;
  bool operator>=(const String &) const noexcept;

  void swap(String &) noexcept;

  String(unsafe_bitcopy_t, const String &) noexcept;

private:
  struct lossy_t;
  String(lossy_t, const char *, std::size_t) noexcept;
  String(lossy_t, const char16_t *, std::size_t) noexcept;
  friend void swap(String &lhs, String &rhs) noexcept { lhs.swap(rhs); }

  std::array<std::uintptr_t, 3> repr;
};
#endif // CXXBRIDGE1_RUST_STRING

#ifndef CXXBRIDGE1_RUST_STR
#define CXXBRIDGE1_RUST_STR
class Str final {
public:
  Str() noexcept;
  Str(const String &) noexcept;
  Str(const std::string &);
  Str(const char *);
  Str(const char *, std::size_t);

  Str &operator=(const Str &) & noexcept = default;

  explicit operator std::string() const;
#if __cplusplus >= 201703L
  explicit operator std::string_view() const;
#endif

  const char *data() const noexcept;
  std::size_t size() const noexcept;
  std::size_t length() const noexcept;
  bool empty() const noexcept;

  Str(const Str &) noexcept = default;
  ~Str() noexcept = default;

  using iterator = const char *;
  using const_iterator = const char *;
  const_iterator begin() const noexcept;
  const_iterator end() const noexcept;
  const_iterator cbegin() const noexcept;
  const_iterator cend() const noexcept;

  bool operator==(const Str &) const noexcept;
  bool operator!=(const Str &) const noexcept;
  bool operator<(const Str &) const noexcept;
  bool operator<=(const Str &) const noexcept;
  bool operator>(const Str &) const noexcept;
  bool operator>=(const Str &) const noexcept;

  void swap(Str &) noexcept;

private:
  class uninit;
  Str(uninit) noexcept;
  friend impl<Str>;

  std::array<std::uintptr_t, 2> repr;
};
#endif // CXXBRIDGE1_RUST_STR

#ifndef CXXBRIDGE1_RUST_SLICE
#define CXXBRIDGE1_RUST_SLICE
namespace detail {
template <bool>
struct copy_assignable_if {};

template <>
struct copy_assignable_if<false> {
  copy_assignable_if() noexcept = default;
  copy_assignable_if(const copy_assignable_if &) noexcept = default;
  copy_assignable_if &operator=(const copy_assignable_if &) & noexcept = delete;
  copy_assignable_if &operator=(copy_assignable_if &&) & noexcept = default;
};
} // namespace detail

template <typename T>
class Slice final
    : private detail::copy_assignable_if<std::is_const<T>::value> {
public:
  using value_type = T;

  Slice() noexcept;
  Slice(T *, std::size_t count) noexcept;

  template <typename C>
  explicit Slice(C &c) : Slice(c.data(), c.size()) {}

  Slice &operator=(const Slice<T> &) & noexcept = default;
  Slice &operator=(Slice<T> &&) & noexcept = default;

  T *data() const noexcept;
  std::size_t size() const noexcept;
  std::size_t length() const noexcept;
  bool empty() const noexcept;

  T &operator[](std::size_t n) const noexcept;
  T &at(std::size_t n) const;
  T &front() const noexcept;
  T &back() const noexcept;

  Slice(const Slice<T> &) noexcept = default;
  ~Slice() noexcept = default;

  class iterator;
  iterator begin() const noexcept;
  iterator end() const noexcept;

  void swap(Slice &) noexcept;

private:
  class uninit;
  Slice(uninit) noexcept;
  friend impl<Slice>;
  friend void sliceInit(void *, const void *, std::size_t) noexcept;
  friend void *slicePtr(const void *) noexcept;
  friend std::size_t sliceLen(const void *) noexcept;

  std::array<std::uintptr_t, 2> repr;
};

#ifdef __cpp_deduction_guides
template <typename C>
explicit Slice(C &c)
    -> Slice<std::remove_reference_t<decltype(*std::declval<C>().data())>>;
#endif // __cpp_deduction_guides

template <typename T>
class Slice<T>::iterator final {
public:
#if __cplusplus >= 202002L
  using iterator_category = std::contiguous_iterator_tag;
#else
  using iterator_category = std::random_access_iterator_tag;
#endif
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using pointer = typename std::add_pointer<T>::type;
  using reference = typename std::add_lvalue_reference<T>::type;

  reference operator*() const noexcept;
  pointer operator->() const noexcept;
  reference operator[](difference_type) const noexcept;

  iterator &operator++() noexcept;
  iterator operator++(int) noexcept;
  iterator &operator--() noexcept;
  iterator operator--(int) noexcept;

  iterator &operator+=(difference_type) noexcept;
  iterator &operator-=(difference_type) noexcept;
  iterator operator+(difference_type) const noexcept;
  friend inline iterator operator+(difference_type lhs, iterator rhs) noexcept {
    return rhs + lhs;
  }
  iterator operator-(difference_type) const noexcept;
  difference_type operator-(const iterator &) const noexcept;

  bool operator==(const iterator &) const noexcept;
  bool operator!=(const iterator &) const noexcept;
  bool operator<(const iterator &) const noexcept;
  bool operator<=(const iterator &) const noexcept;
  bool operator>(const iterator &) const noexcept;
  bool operator>=(const iterator &) const noexcept;

private:
  friend class Slice;
  void *pos;
  std::size_t stride;
};

template <typename T>
Slice<T>::Slice() noexcept {
  sliceInit(this, reinterpret_cast<void *>(align_of<T>()), 0);
}

template <typename T>
Slice<T>::Slice(T *s, std::size_t count) noexcept {
  assert(s != nullptr || count == 0);
  sliceInit(this,
            s == nullptr && count == 0
                ? reinterpret_cast<void *>(align_of<T>())
                : const_cast<typename std::remove_const<T>::type *>(s),
            count);
}

template <typename T>
T *Slice<T>::data() const noexcept {
  return reinterpret_cast<T *>(slicePtr(this));
}

template <typename T>
std::size_t Slice<T>::size() const noexcept {
  return sliceLen(this);
}

template <typename T>
std::size_t Slice<T>::length() const noexcept {
  return this->size();
}

template <typename T>
bool Slice<T>::empty() const noexcept {
  return this->size() == 0;
}

template <typename T>
T &Slice<T>::operator[](std::size_t n) const noexcept {
  assert(n < this->size());
  auto ptr = static_cast<char *>(slicePtr(this)) + size_of<T>() * n;
  return *reinterpret_cast<T *>(ptr);
}

template <typename T>
T &Slice<T>::at(std::size_t n) const {
  if (n >= this->size()) {
    panic<std::out_of_range>("rust::Slice index out of range");
  }
  return (*this)[n];
}

template <typename T>
T &Slice<T>::front() const noexcept {
  assert(!this->empty());
  return (*this)[0];
}

template <typename T>
T &Slice<T>::back() const noexcept {
  assert(!this->empty());
  return (*this)[this->size() - 1];
}

template <typename T>
typename Slice<T>::iterator::reference
Slice<T>::iterator::operator*() const noexcept {
  return *static_cast<T *>(this->pos);
}

template <typename T>
typename Slice<T>::iterator::pointer
Slice<T>::iterator::operator->() const noexcept {
  return static_cast<T *>(this->pos);
}

template <typename T>
typename Slice<T>::iterator::reference Slice<T>::iterator::operator[](
    typename Slice<T>::iterator::difference_type n) const noexcept {
  auto ptr = static_cast<char *>(this->pos) + this->stride * n;
  return *reinterpret_cast<T *>(ptr);
}

template <typename T>
typename Slice<T>::iterator &Slice<T>::iterator::operator++() noexcept {
  this->pos = static_cast<char *>(this->pos) + this->stride;
  return *this;
}

template <typename T>
typename Slice<T>::iterator Slice<T>::iterator::operator++(int) noexcept {
  auto ret = iterator(*this);
  this->pos = static_cast<char *>(this->pos) + this->stride;
  return ret;
}

template <typename T>
typename Slice<T>::iterator &Slice<T>::iterator::operator--() noexcept {
  this->pos = static_cast<char *>(this->pos) - this->stride;
  return *this;
}

template <typename T>
typename Slice<T>::iterator Slice<T>::iterator::operator--(int) noexcept {
  auto ret = iterator(*this);
  this->pos = static_cast<char *>(this->pos) - this->stride;
  return ret;
}

template <typename T>
typename Slice<T>::iterator &Slice<T>::iterator::operator+=(
    typename Slice<T>::iterator::difference_type n) noexcept {
  this->pos = static_cast<char *>(this->pos) + this->stride * n;
  return *this;
}

template <typename T>
typename Slice<T>::iterator &Slice<T>::iterator::operator-=(
    typename Slice<T>::iterator::difference_type n) noexcept {
  this->pos = static_cast<char *>(this->pos) - this->stride * n;
  return *this;
}

template <typename T>
typename Slice<T>::iterator Slice<T>::iterator::operator+(
    typename Slice<T>::iterator::difference_type n) const noexcept {
  auto ret = iterator(*this);
  ret.pos = static_cast<char *>(this->pos) + this->stride * n;
  return ret;
}

template <typename T>
typename Slice<T>::iterator Slice<T>::iterator::operator-(
    typename Slice<T>::iterator::difference_type n) const noexcept {
  auto ret = iterator(*this);
  ret.pos = static_cast<char *>(this->pos) - this->stride * n;
  return ret;
}

template <typename T>
typename Slice<T>::iterator::difference_type
Slice<T>::iterator::operator-(const iterator &other) const noexcept {
  auto diff = std::distance(static_cast<char *>(other.pos),
                            static_cast<char *>(this->pos));
  return diff / static_cast<typename Slice<T>::iterator::difference_type>(
                    this->stride);
}

template <typename T>
bool Slice<T>::iterator::operator==(const iterator &other) const noexcept {
  return this->pos == other.pos;
}

template <typename T>
bool Slice<T>::iterator::operator!=(const iterator &other) const noexcept {
  return this->pos != other.pos;
}

template <typename T>
bool Slice<T>::iterator::operator<(const iterator &other) const noexcept {
  return this->pos < other.pos;
}

template <typename T>
bool Slice<T>::iterator::operator<=(const iterator &other) const noexcept {
  return this->pos <= other.pos;
}

template <typename T>
bool Slice<T>::iterator::operator>(const iterator &other) const noexcept {
  return this->pos > other.pos;
}

template <typename T>
bool Slice<T>::iterator::operator>=(const iterator &other) const noexcept {
  return this->pos >= other.pos;
}

template <typename T>
typename Slice<T>::iterator Slice<T>::begin() const noexcept {
  iterator it;
  it.pos = slicePtr(this);
  it.stride = size_of<T>();
  return it;
}

template <typename T>
typename Slice<T>::iterator Slice<T>::end() const noexcept {
  iterator it = this->begin();
  it.pos = static_cast<char *>(it.pos) + it.stride * this->size();
  return it;
}

template <typename T>
void Slice<T>::swap(Slice &rhs) noexcept {
  std::swap(*this, rhs);
}
#endif // CXXBRIDGE1_RUST_SLICE

#ifndef CXXBRIDGE1_RUST_BOX
#define CXXBRIDGE1_RUST_BOX
template <typename T>
class Box final {
public:
  using element_type = T;
  using const_pointer =
      typename std::add_pointer<typename std::add_const<T>::type>::type;
  using pointer = typename std::add_pointer<T>::type;

  Box() = delete;
  Box(Box &&) noexcept;
  ~Box() noexcept;

  explicit Box(const T &);
  explicit Box(T &&);

  Box &operator=(Box &&) & noexcept;

  const T *operator->() const noexcept;
  const T &operator*() const noexcept;
  T *operator->() noexcept;
  T &operator*() noexcept;

  template <typename... Fields>
  static Box in_place(Fields &&...);

  void swap(Box &) noexcept;

  static Box from_raw(T *) noexcept;

  T *into_raw() noexcept;

  /* Deprecated */ using value_type = element_type;

private:
  class uninit;
  class allocation;
  Box(uninit) noexcept;
  void drop() noexcept;

  friend void swap(Box &lhs, Box &rhs) noexcept { lhs.swap(rhs); }

  T *ptr;
};

template <typename T>
class Box<T>::uninit {};

template <typename T>
class Box<T>::allocation {
  static T *alloc() noexcept;
  static void dealloc(T *) noexcept;

public:
  allocation() noexcept : ptr(alloc()) {}
  ~allocation() noexcept {
    if (this->ptr) {
      dealloc(this->ptr);
    }
  }
  T *ptr;
};

template <typename T>
Box<T>::Box(Box &&other) noexcept : ptr(other.ptr) {
  other.ptr = nullptr;
}

template <typename T>
Box<T>::Box(const T &val) {
  allocation alloc;
  ::new (alloc.ptr) T(val);
  this->ptr = alloc.ptr;
  alloc.ptr = nullptr;
}

template <typename T>
Box<T>::Box(T &&val) {
  allocation alloc;
  ::new (alloc.ptr) T(std::move(val));
  this->ptr = alloc.ptr;
  alloc.ptr = nullptr;
}

template <typename T>
Box<T>::~Box() noexcept {
  if (this->ptr) {
    this->drop();
  }
}

template <typename T>
Box<T> &Box<T>::operator=(Box &&other) & noexcept {
  if (this->ptr) {
    this->drop();
  }
  this->ptr = other.ptr;
  other.ptr = nullptr;
  return *this;
}

template <typename T>
const T *Box<T>::operator->() const noexcept {
  return this->ptr;
}

template <typename T>
const T &Box<T>::operator*() const noexcept {
  return *this->ptr;
}

template <typename T>
T *Box<T>::operator->() noexcept {
  return this->ptr;
}

template <typename T>
T &Box<T>::operator*() noexcept {
  return *this->ptr;
}

template <typename T>
template <typename... Fields>
Box<T> Box<T>::in_place(Fields &&...fields) {
  allocation alloc;
  auto ptr = alloc.ptr;
  ::new (ptr) T{std::forward<Fields>(fields)...};
  alloc.ptr = nullptr;
  return from_raw(ptr);
}

template <typename T>
void Box<T>::swap(Box &rhs) noexcept {
  using std::swap;
  swap(this->ptr, rhs.ptr);
}

template <typename T>
Box<T> Box<T>::from_raw(T *raw) noexcept {
  Box box = uninit{};
  box.ptr = raw;
  return box;
}

template <typename T>
T *Box<T>::into_raw() noexcept {
  T *raw = this->ptr;
  this->ptr = nullptr;
  return raw;
}

template <typename T>
Box<T>::Box(uninit) noexcept {}
#endif // CXXBRIDGE1_RUST_BOX

#ifndef CXXBRIDGE1_RUST_BITCOPY_T
#define CXXBRIDGE1_RUST_BITCOPY_T
struct unsafe_bitcopy_t final {
  explicit unsafe_bitcopy_t() = default;
};
#endif // CXXBRIDGE1_RUST_BITCOPY_T

#ifndef CXXBRIDGE1_RUST_VEC
#define CXXBRIDGE1_RUST_VEC
template <typename T>
class Vec final {
public:
  using value_type = T;

  Vec() noexcept;
  Vec(std::initializer_list<T>);
  Vec(const Vec &);
  Vec(Vec &&) noexcept;
  ~Vec() noexcept;

  Vec &operator=(Vec &&) & noexcept;
  Vec &operator=(const Vec &) &;

  std::size_t size() const noexcept;
  bool empty() const noexcept;
  const T *data() const noexcept;
  T *data() noexcept;
  std::size_t capacity() const noexcept;

  const T &operator[](std::size_t n) const noexcept;
  const T &at(std::size_t n) const;
  const T &front() const noexcept;
  const T &back() const noexcept;

  T &operator[](std::size_t n) noexcept;
  T &at(std::size_t n);
  T &front() noexcept;
  T &back() noexcept;

  void reserve(std::size_t new_cap);
  void push_back(const T &value);
  void push_back(T &&value);
  template <typename... Args>
  void emplace_back(Args &&...args);
  void truncate(std::size_t len);
  void clear();

  using iterator = typename Slice<T>::iterator;
  iterator begin() noexcept;
  iterator end() noexcept;

  using const_iterator = typename Slice<const T>::iterator;
  const_iterator begin() const noexcept;
  const_iterator end() const noexcept;
  const_iterator cbegin() const noexcept;
  const_iterator cend() const noexcept;

  void swap(Vec &) noexcept;

  Vec(unsafe_bitcopy_t, const Vec &) noexcept;

private:
  void reserve_total(std::size_t new_cap) noexcept;
  void set_len(std::size_t len) noexcept;
  void drop() noexcept;

  friend void swap(Vec &lhs, Vec &rhs) noexcept { lhs.swap(rhs); }

  std::array<std::uintptr_t, 3> repr;
};

template <typename T>
Vec<T>::Vec(std::initializer_list<T> init) : Vec{} {
  this->reserve_total(init.size());
  std::move(init.begin(), init.end(), std::back_inserter(*this));
}

template <typename T>
Vec<T>::Vec(const Vec &other) : Vec() {
  this->reserve_total(other.size());
  std::copy(other.begin(), other.end(), std::back_inserter(*this));
}

template <typename T>
Vec<T>::Vec(Vec &&other) noexcept : repr(other.repr) {
  new (&other) Vec();
}

template <typename T>
Vec<T>::~Vec() noexcept {
  this->drop();
}

template <typename T>
Vec<T> &Vec<T>::operator=(Vec &&other) & noexcept {
  this->drop();
  this->repr = other.repr;
  new (&other) Vec();
  return *this;
}

template <typename T>
Vec<T> &Vec<T>::operator=(const Vec &other) & {
  if (this != &other) {
    this->drop();
    new (this) Vec(other);
  }
  return *this;
}

template <typename T>
bool Vec<T>::empty() const noexcept {
  return this->size() == 0;
}

template <typename T>
const T &Vec<T>::operator[](std::size_t n) const noexcept {
  assert(n < this->size());
  auto data = reinterpret_cast<const char *>(this->data());
  return *reinterpret_cast<const T *>(data + n * size_of<T>());
}

template <typename T>
const T &Vec<T>::at(std::size_t n) const {
  if (n >= this->size()) {
    panic<std::out_of_range>("rust::Vec index out of range");
  }
  return (*this)[n];
}

template <typename T>
const T &Vec<T>::front() const noexcept {
  assert(!this->empty());
  return (*this)[0];
}

template <typename T>
const T &Vec<T>::back() const noexcept {
  assert(!this->empty());
  return (*this)[this->size() - 1];
}

template <typename T>
T &Vec<T>::operator[](std::size_t n) noexcept {
  assert(n < this->size());
  auto data = reinterpret_cast<char *>(this->data());
  return *reinterpret_cast<T *>(data + n * size_of<T>());
}

template <typename T>
T &Vec<T>::at(std::size_t n) {
  if (n >= this->size()) {
    panic<std::out_of_range>("rust::Vec index out of range");
  }
  return (*this)[n];
}

template <typename T>
T &Vec<T>::front() noexcept {
  assert(!this->empty());
  return (*this)[0];
}

template <typename T>
T &Vec<T>::back() noexcept {
  assert(!this->empty());
  return (*this)[this->size() - 1];
}

template <typename T>
void Vec<T>::reserve(std::size_t new_cap) {
  this->reserve_total(new_cap);
}

template <typename T>
void Vec<T>::push_back(const T &value) {
  this->emplace_back(value);
}

template <typename T>
void Vec<T>::push_back(T &&value) {
  this->emplace_back(std::move(value));
}

template <typename T>
template <typename... Args>
void Vec<T>::emplace_back(Args &&...args) {
  auto size = this->size();
  this->reserve_total(size + 1);
  ::new (reinterpret_cast<T *>(reinterpret_cast<char *>(this->data()) +
                               size * size_of<T>()))
      T(std::forward<Args>(args)...);
  this->set_len(size + 1);
}

template <typename T>
void Vec<T>::clear() {
  this->truncate(0);
}

template <typename T>
typename Vec<T>::iterator Vec<T>::begin() noexcept {
  return Slice<T>(this->data(), this->size()).begin();
}

template <typename T>
typename Vec<T>::iterator Vec<T>::end() noexcept {
  return Slice<T>(this->data(), this->size()).end();
}

template <typename T>
typename Vec<T>::const_iterator Vec<T>::begin() const noexcept {
  return this->cbegin();
}

template <typename T>
typename Vec<T>::const_iterator Vec<T>::end() const noexcept {
  return this->cend();
}

template <typename T>
typename Vec<T>::const_iterator Vec<T>::cbegin() const noexcept {
  return Slice<const T>(this->data(), this->size()).begin();
}

template <typename T>
typename Vec<T>::const_iterator Vec<T>::cend() const noexcept {
  return Slice<const T>(this->data(), this->size()).end();
}

template <typename T>
void Vec<T>::swap(Vec &rhs) noexcept {
  using std::swap;
  swap(this->repr, rhs.repr);
}

template <typename T>
Vec<T>::Vec(unsafe_bitcopy_t, const Vec &bits) noexcept : repr(bits.repr) {}
#endif // CXXBRIDGE1_RUST_VEC

#ifndef CXXBRIDGE1_RUST_OPAQUE
#define CXXBRIDGE1_RUST_OPAQUE
class Opaque {
public:
  Opaque() = delete;
  Opaque(const Opaque &) = delete;
  ~Opaque() = delete;
};
#endif // CXXBRIDGE1_RUST_OPAQUE

#ifndef CXXBRIDGE1_IS_COMPLETE
#define CXXBRIDGE1_IS_COMPLETE
namespace detail {
namespace {
template <typename T, typename = std::size_t>
struct is_complete : std::false_type {};
template <typename T>
struct is_complete<T, decltype(sizeof(T))> : std::true_type {};
} // namespace
} // namespace detail
#endif // CXXBRIDGE1_IS_COMPLETE

#ifndef CXXBRIDGE1_LAYOUT
#define CXXBRIDGE1_LAYOUT
class layout {
  template <typename T>
  friend std::size_t size_of();
  template <typename T>
  friend std::size_t align_of();
  template <typename T>
  static typename std::enable_if<std::is_base_of<Opaque, T>::value,
                                 std::size_t>::type
  do_size_of() {
    return T::layout::size();
  }
  template <typename T>
  static typename std::enable_if<!std::is_base_of<Opaque, T>::value,
                                 std::size_t>::type
  do_size_of() {
    return sizeof(T);
  }
  template <typename T>
  static
      typename std::enable_if<detail::is_complete<T>::value, std::size_t>::type
      size_of() {
    return do_size_of<T>();
  }
  template <typename T>
  static typename std::enable_if<std::is_base_of<Opaque, T>::value,
                                 std::size_t>::type
  do_align_of() {
    return T::layout::align();
  }
  template <typename T>
  static typename std::enable_if<!std::is_base_of<Opaque, T>::value,
                                 std::size_t>::type
  do_align_of() {
    return alignof(T);
  }
  template <typename T>
  static
      typename std::enable_if<detail::is_complete<T>::value, std::size_t>::type
      align_of() {
    return do_align_of<T>();
  }
};

template <typename T>
std::size_t size_of() {
  return layout::size_of<T>();
}

template <typename T>
std::size_t align_of() {
  return layout::align_of<T>();
}
#endif // CXXBRIDGE1_LAYOUT
} // namespace cxxbridge1
} // namespace rust

#if __cplusplus >= 201402L
#define CXX_DEFAULT_VALUE(value) = value
#else
#define CXX_DEFAULT_VALUE(value)
#endif

namespace pinfold {
  using FinishReason = ::pinfold::FinishReason;
  using Role = ::pinfold::Role;
  using DeviceKind = ::pinfold::DeviceKind;
  using LogLevel = ::pinfold::LogLevel;
  using Cause = ::pinfold::Cause;
  using GoldenOutcome = ::pinfold::GoldenOutcome;
  namespace bridge {
    struct MaybeNumber;
    struct MaybeText;
    struct ModelOptions;
    struct TokenBias;
    struct GenerateOptions;
    struct Message;
    struct TokenLogprob;
    struct GeneratedToken;
    struct MaybeChunk;
    struct MaybeFinish;
    struct Facts;
    struct MemoryEstimate;
    struct CheckpointInfo;
    struct EmbeddedInfo;
    struct Device;
    struct StoreOptions;
    struct StoreEntry;
    struct DamagedEntry;
    struct Collected;
    struct PullOptions;
    struct PinnedCheckpoint;
    struct PinnedAdapter;
    struct PinnedGolden;
    struct PinnedFile;
    struct VerifyOptions;
    struct FileReport;
    struct Difference;
    struct GoldenReport;
    struct VerifyReport;
    using ProgressCallback = ::pinfold::bridge::ProgressCallback;
    using PullCallback = ::pinfold::bridge::PullCallback;
    using VerifyCallback = ::pinfold::bridge::VerifyCallback;
    using StoreCallback = ::pinfold::bridge::StoreCallback;
    using LogCallback = ::pinfold::bridge::LogCallback;
    struct Cancel;
    struct Model;
    struct Session;
    struct Stream;
    struct Store;
    struct LockFile;
  }
}

namespace pinfold {
static_assert(::std::is_enum<FinishReason>::value, "expected enum");
static_assert(sizeof(FinishReason) == sizeof(::std::uint8_t), "incorrect size");
static_assert(static_cast<::std::uint8_t>(FinishReason::EndOfGeneration) == 0, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(FinishReason::Stop) == 1, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(FinishReason::Length) == 2, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(FinishReason::Cancelled) == 3, "disagrees with the value in #[cxx::bridge]");

static_assert(::std::is_enum<Role>::value, "expected enum");
static_assert(sizeof(Role) == sizeof(::std::uint8_t), "incorrect size");
static_assert(static_cast<::std::uint8_t>(Role::System) == 0, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Role::User) == 1, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Role::Assistant) == 2, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Role::Tool) == 3, "disagrees with the value in #[cxx::bridge]");

static_assert(::std::is_enum<DeviceKind>::value, "expected enum");
static_assert(sizeof(DeviceKind) == sizeof(::std::uint8_t), "incorrect size");
static_assert(static_cast<::std::uint8_t>(DeviceKind::Cpu) == 0, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(DeviceKind::Gpu) == 1, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(DeviceKind::IntegratedGpu) == 2, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(DeviceKind::Accelerator) == 3, "disagrees with the value in #[cxx::bridge]");

static_assert(::std::is_enum<LogLevel>::value, "expected enum");
static_assert(sizeof(LogLevel) == sizeof(::std::uint8_t), "incorrect size");
static_assert(static_cast<::std::uint8_t>(LogLevel::Error) == 0, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(LogLevel::Warn) == 1, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(LogLevel::Info) == 2, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(LogLevel::Debug) == 3, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(LogLevel::Trace) == 4, "disagrees with the value in #[cxx::bridge]");

static_assert(::std::is_enum<Cause>::value, "expected enum");
static_assert(sizeof(Cause) == sizeof(::std::uint8_t), "incorrect size");
static_assert(static_cast<::std::uint8_t>(Cause::Missing) == 0, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::Weights) == 1, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::Tokenizer) == 2, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::ChatTemplate) == 3, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::Metadata) == 4, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::Preflight) == 5, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::Lock) == 6, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::Prompt) == 7, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::Computation) == 8, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(Cause::Sampler) == 9, "disagrees with the value in #[cxx::bridge]");

static_assert(::std::is_enum<GoldenOutcome>::value, "expected enum");
static_assert(sizeof(GoldenOutcome) == sizeof(::std::uint8_t), "incorrect size");
static_assert(static_cast<::std::uint8_t>(GoldenOutcome::Same) == 0, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(GoldenOutcome::WithinTolerance) == 1, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(GoldenOutcome::Different) == 2, "disagrees with the value in #[cxx::bridge]");
static_assert(static_cast<::std::uint8_t>(GoldenOutcome::NotRun) == 3, "disagrees with the value in #[cxx::bridge]");

namespace bridge {
#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeNumber
#define CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeNumber
struct MaybeNumber final {
  bool present CXX_DEFAULT_VALUE(false);
  ::std::uint32_t value CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeNumber

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeText
#define CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeText
struct MaybeText final {
  bool present CXX_DEFAULT_VALUE(false);
  ::rust::String value;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeText

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$ModelOptions
#define CXXBRIDGE1_STRUCT_pinfold$bridge$ModelOptions
struct ModelOptions final {
  ::std::uint32_t context_tokens CXX_DEFAULT_VALUE(0);
  ::std::uint32_t sessions CXX_DEFAULT_VALUE(0);
  ::std::uint32_t threads CXX_DEFAULT_VALUE(0);
  ::std::uint32_t slice_tokens CXX_DEFAULT_VALUE(0);
  ::pinfold::bridge::MaybeNumber offload_layers;
  ::rust::Vec<::rust::String> offload_devices;
  bool mmap CXX_DEFAULT_VALUE(false);
  bool check_memory CXX_DEFAULT_VALUE(false);
  bool reproducible CXX_DEFAULT_VALUE(false);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$ModelOptions

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$TokenBias
#define CXXBRIDGE1_STRUCT_pinfold$bridge$TokenBias
struct TokenBias final {
  ::std::uint32_t token CXX_DEFAULT_VALUE(0);
  float bias CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$TokenBias

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$GenerateOptions
#define CXXBRIDGE1_STRUCT_pinfold$bridge$GenerateOptions
struct GenerateOptions final {
  float temperature CXX_DEFAULT_VALUE(0);
  ::std::uint64_t seed CXX_DEFAULT_VALUE(0);
  ::rust::Vec<::pinfold::bridge::TokenBias> logit_bias;
  ::std::uint32_t penalty_window CXX_DEFAULT_VALUE(0);
  float repetition_penalty CXX_DEFAULT_VALUE(0);
  float frequency_penalty CXX_DEFAULT_VALUE(0);
  float presence_penalty CXX_DEFAULT_VALUE(0);
  ::std::uint32_t top_k CXX_DEFAULT_VALUE(0);
  float typical_p CXX_DEFAULT_VALUE(0);
  float top_p CXX_DEFAULT_VALUE(0);
  float min_p CXX_DEFAULT_VALUE(0);
  ::pinfold::bridge::MaybeNumber max_tokens;
  ::rust::Vec<::rust::String> stop;
  ::pinfold::bridge::MaybeNumber logprobs;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$GenerateOptions

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Message
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Message
struct Message final {
  ::pinfold::Role role;
  ::rust::String content;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Message

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$TokenLogprob
#define CXXBRIDGE1_STRUCT_pinfold$bridge$TokenLogprob
struct TokenLogprob final {
  ::std::uint32_t token CXX_DEFAULT_VALUE(0);
  float logprob CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$TokenLogprob

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$GeneratedToken
#define CXXBRIDGE1_STRUCT_pinfold$bridge$GeneratedToken
struct GeneratedToken final {
  ::std::uint32_t token CXX_DEFAULT_VALUE(0);
  bool has_logprob CXX_DEFAULT_VALUE(false);
  float logprob CXX_DEFAULT_VALUE(0);
  ::rust::Vec<::pinfold::bridge::TokenLogprob> top;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$GeneratedToken

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeChunk
#define CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeChunk
struct MaybeChunk final {
  bool present CXX_DEFAULT_VALUE(false);
  ::rust::String text;
  ::rust::Vec<::pinfold::bridge::GeneratedToken> tokens;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeChunk

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeFinish
#define CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeFinish
struct MaybeFinish final {
  bool present CXX_DEFAULT_VALUE(false);
  ::pinfold::FinishReason reason;
  ::std::uint32_t prompt_tokens CXX_DEFAULT_VALUE(0);
  ::std::uint32_t generated_tokens CXX_DEFAULT_VALUE(0);
  double prompt_seconds CXX_DEFAULT_VALUE(0);
  double generation_seconds CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$MaybeFinish

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Facts
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Facts
struct Facts final {
  ::rust::String architecture;
  ::std::uint64_t parameters CXX_DEFAULT_VALUE(0);
  ::std::uint64_t bytes CXX_DEFAULT_VALUE(0);
  ::std::uint32_t context_length CXX_DEFAULT_VALUE(0);
  ::std::uint32_t embedding_width CXX_DEFAULT_VALUE(0);
  bool has_encoder CXX_DEFAULT_VALUE(false);
  bool has_decoder CXX_DEFAULT_VALUE(false);
  ::pinfold::bridge::MaybeText chat_template;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Facts

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$MemoryEstimate
#define CXXBRIDGE1_STRUCT_pinfold$bridge$MemoryEstimate
struct MemoryEstimate final {
  ::std::uint64_t weights CXX_DEFAULT_VALUE(0);
  ::std::uint64_t kv_cache CXX_DEFAULT_VALUE(0);
  ::std::uint64_t compute CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$MemoryEstimate

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$CheckpointInfo
#define CXXBRIDGE1_STRUCT_pinfold$bridge$CheckpointInfo
struct CheckpointInfo final {
  ::pinfold::bridge::MaybeText name;
  ::rust::String architecture;
  ::rust::String quantization;
  ::pinfold::bridge::MaybeText licence;
  ::std::uint64_t parameters CXX_DEFAULT_VALUE(0);
  ::std::uint64_t weight_bytes CXX_DEFAULT_VALUE(0);
  ::std::uint32_t context_length CXX_DEFAULT_VALUE(0);
  ::std::uint32_t layers CXX_DEFAULT_VALUE(0);
  ::std::uint32_t width CXX_DEFAULT_VALUE(0);
  ::std::uint32_t vocabulary CXX_DEFAULT_VALUE(0);
  ::rust::String tokenizer;
  ::pinfold::bridge::MaybeText chat_template;
  ::pinfold::bridge::MemoryEstimate memory;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$CheckpointInfo

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$EmbeddedInfo
#define CXXBRIDGE1_STRUCT_pinfold$bridge$EmbeddedInfo
struct EmbeddedInfo final {
  ::rust::String name;
  ::rust::String summary;
  ::rust::String licence;
  ::std::uint64_t bytes CXX_DEFAULT_VALUE(0);
  ::rust::String digest;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$EmbeddedInfo

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Device
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Device
struct Device final {
  ::rust::String name;
  ::rust::String description;
  ::pinfold::DeviceKind kind;
  ::std::uint64_t memory_free CXX_DEFAULT_VALUE(0);
  ::std::uint64_t memory_total CXX_DEFAULT_VALUE(0);
  ::pinfold::bridge::MaybeText kernels;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Device

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$StoreOptions
#define CXXBRIDGE1_STRUCT_pinfold$bridge$StoreOptions
struct StoreOptions final {
  ::pinfold::bridge::MaybeText root;
  bool has_quota CXX_DEFAULT_VALUE(false);
  ::std::uint64_t quota CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$StoreOptions

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$StoreEntry
#define CXXBRIDGE1_STRUCT_pinfold$bridge$StoreEntry
struct StoreEntry final {
  ::rust::String digest;
  ::std::uint64_t size CXX_DEFAULT_VALUE(0);
  ::rust::String path;
  bool was_used CXX_DEFAULT_VALUE(false);
  /// Microseconds since 1970.
  ///
  ::std::int64_t used CXX_DEFAULT_VALUE(0);
  ::rust::Vec<::rust::String> pinned_by;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$StoreEntry

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$DamagedEntry
#define CXXBRIDGE1_STRUCT_pinfold$bridge$DamagedEntry
struct DamagedEntry final {
  ::pinfold::bridge::StoreEntry entry;
  ::rust::String actual_digest;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$DamagedEntry

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Collected
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Collected
struct Collected final {
  ::rust::Vec<::pinfold::bridge::StoreEntry> removed;
  ::std::uint64_t freed CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Collected

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$PullOptions
#define CXXBRIDGE1_STRUCT_pinfold$bridge$PullOptions
struct PullOptions final {
  ::std::uint32_t connections CXX_DEFAULT_VALUE(0);
  ::std::uint32_t attempts CXX_DEFAULT_VALUE(0);
  ::pinfold::bridge::MaybeText hub_endpoint;
  ::pinfold::bridge::MaybeText hub_token;
  ::pinfold::bridge::MaybeText certificates;
  ::std::uint32_t stall_timeout_ms CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$PullOptions

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedCheckpoint
#define CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedCheckpoint
struct PinnedCheckpoint final {
  ::rust::String name;
  ::rust::Vec<::rust::String> sources;
  ::rust::String digest;
  ::std::uint64_t size CXX_DEFAULT_VALUE(0);
  ::rust::String licence;
  bool is_signed CXX_DEFAULT_VALUE(false);
  ::rust::String architecture;
  ::rust::String quantization;
  ::std::uint32_t context_length CXX_DEFAULT_VALUE(0);
  ::rust::String tokenizer_digest;
  ::pinfold::bridge::MaybeText chat_template_digest;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedCheckpoint

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedAdapter
#define CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedAdapter
struct PinnedAdapter final {
  ::rust::String name;
  ::rust::Vec<::rust::String> sources;
  ::rust::String digest;
  ::std::uint64_t size CXX_DEFAULT_VALUE(0);
  ::rust::String licence;
  bool is_signed CXX_DEFAULT_VALUE(false);
  ::rust::String architecture;
  ::rust::String base;
  ::rust::String base_digest;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedAdapter

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedGolden
#define CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedGolden
struct PinnedGolden final {
  ::rust::String name;
  ::rust::String checkpoint;
  ::rust::String text;
  ::rust::String runtime;
  ::rust::String backend;
  ::rust::String llama_cpp;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedGolden

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedFile
#define CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedFile
struct PinnedFile final {
  ::rust::String name;
  ::rust::String path;
  ::rust::String digest;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$PinnedFile

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$VerifyOptions
#define CXXBRIDGE1_STRUCT_pinfold$bridge$VerifyOptions
struct VerifyOptions final {
  ::rust::Vec<::rust::String> names;
  bool full_check CXX_DEFAULT_VALUE(false);
  float tolerance CXX_DEFAULT_VALUE(0);
  ::std::uint32_t threads CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$VerifyOptions

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$FileReport
#define CXXBRIDGE1_STRUCT_pinfold$bridge$FileReport
struct FileReport final {
  ::rust::String name;
  bool passed CXX_DEFAULT_VALUE(false);
  /// The numbers of `Cause`.
  ///
  ::rust::Vec<::std::uint8_t> causes;
  ::rust::String detail;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$FileReport

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Difference
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Difference
struct Difference final {
  ::std::uint32_t index CXX_DEFAULT_VALUE(0);
  ::pinfold::bridge::MaybeNumber expected_token;
  ::pinfold::bridge::MaybeNumber actual_token;
  ::rust::String expected_text;
  ::rust::String actual_text;
  bool has_margin CXX_DEFAULT_VALUE(false);
  float margin CXX_DEFAULT_VALUE(0);

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Difference

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$GoldenReport
#define CXXBRIDGE1_STRUCT_pinfold$bridge$GoldenReport
struct GoldenReport final {
  ::rust::String name;
  ::rust::String checkpoint;
  ::pinfold::GoldenOutcome outcome;
  bool exact CXX_DEFAULT_VALUE(false);
  bool has_cause CXX_DEFAULT_VALUE(false);
  ::pinfold::Cause cause;
  bool has_difference CXX_DEFAULT_VALUE(false);
  ::pinfold::bridge::Difference difference;
  float deviation CXX_DEFAULT_VALUE(0);
  ::rust::String detail;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$GoldenReport

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$VerifyReport
#define CXXBRIDGE1_STRUCT_pinfold$bridge$VerifyReport
struct VerifyReport final {
  bool passed CXX_DEFAULT_VALUE(false);
  ::rust::Vec<::pinfold::bridge::FileReport> files;
  ::rust::Vec<::pinfold::bridge::GoldenReport> goldens;

  using IsRelocatable = ::std::true_type;
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$VerifyReport

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Cancel
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Cancel
struct Cancel final : public ::rust::Opaque {
  void cancel() const noexcept;
  bool is_cancelled() const noexcept;
  ~Cancel() = delete;

private:
  friend ::rust::layout;
  struct layout {
    static ::std::size_t size() noexcept;
    static ::std::size_t align() noexcept;
  };
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Cancel

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Model
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Model
struct Model final : public ::rust::Opaque {
  ::rust::Box<::pinfold::bridge::Session> session(::pinfold::bridge::MaybeNumber slide_keep) const;
  ::rust::Vec<::std::uint32_t> tokenize(::rust::Str text, bool parse_special) const;
  ::rust::String detokenize(::rust::Slice<::std::uint32_t const> tokens) const;
  ::rust::String chat_prompt(::rust::Slice<::pinfold::bridge::Message const> messages) const;
  ::pinfold::bridge::Facts facts() const noexcept;
  ::std::uint32_t context_tokens() const noexcept;
  ::std::uint32_t vocabulary_size() const noexcept;
  ::rust::String digest() const;
  ~Model() = delete;

private:
  friend ::rust::layout;
  struct layout {
    static ::std::size_t size() noexcept;
    static ::std::size_t align() noexcept;
  };
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Model

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Session
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Session
struct Session final : public ::rust::Opaque {
  ::std::uint32_t append(::rust::Str text, bool parse_special) const;
  ::std::uint32_t append_tokens(::rust::Slice<::std::uint32_t const> tokens) const;
  void prefill(::pinfold::bridge::Cancel const &cancel) const;
  ::rust::Box<::pinfold::bridge::Stream> generate(::pinfold::bridge::GenerateOptions const &options, ::pinfold::bridge::Cancel const &cancel) const;
  ::rust::Vec<::pinfold::bridge::TokenLogprob> next_tokens(::std::uint32_t count, ::pinfold::bridge::Cancel const &cancel) const;
  ::rust::Vec<::std::uint32_t> tokens() const;
  void rewind(::std::uint32_t length) const;
  ::rust::Box<::pinfold::bridge::Session> fork() const;
  void save(::rust::Str path) const;
  void restore(::rust::Str path) const;
  ~Session() = delete;

private:
  friend ::rust::layout;
  struct layout {
    static ::std::size_t size() noexcept;
    static ::std::size_t align() noexcept;
  };
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Session

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Stream
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Stream
struct Stream final : public ::rust::Opaque {
  ::pinfold::bridge::MaybeChunk next() const;
  void cancel() const noexcept;
  ::pinfold::bridge::MaybeFinish finish() const noexcept;
  ~Stream() = delete;

private:
  friend ::rust::layout;
  struct layout {
    static ::std::size_t size() noexcept;
    static ::std::size_t align() noexcept;
  };
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Stream

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$Store
#define CXXBRIDGE1_STRUCT_pinfold$bridge$Store
struct Store final : public ::rust::Opaque {
  ::rust::String root() const noexcept;
  ::rust::Vec<::pinfold::bridge::StoreEntry> entries() const;
  ::rust::Vec<::pinfold::bridge::DamagedEntry> verify(::rust::Slice<::rust::String const> digests, ::std::unique_ptr<::pinfold::bridge::StoreCallback> progress, ::pinfold::bridge::Cancel const &cancel) const;
  bool remove(::rust::Str digest) const;
  ::pinfold::bridge::Collected collect(bool dry_run) const;
  ::rust::String import_file(::rust::Str path, ::pinfold::bridge::MaybeText const &expected_digest, ::std::unique_ptr<::pinfold::bridge::StoreCallback> progress, ::pinfold::bridge::Cancel const &cancel) const;
  ~Store() = delete;

private:
  friend ::rust::layout;
  struct layout {
    static ::std::size_t size() noexcept;
    static ::std::size_t align() noexcept;
  };
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$Store

#ifndef CXXBRIDGE1_STRUCT_pinfold$bridge$LockFile
#define CXXBRIDGE1_STRUCT_pinfold$bridge$LockFile
struct LockFile final : public ::rust::Opaque {
  ::rust::String path() const noexcept;
  ::rust::Vec<::pinfold::bridge::PinnedCheckpoint> checkpoints() const noexcept;
  ::rust::Vec<::pinfold::bridge::PinnedAdapter> adapters() const noexcept;
  ::rust::Vec<::pinfold::bridge::PinnedGolden> goldens() const noexcept;
  ::pinfold::bridge::GenerateOptions sampling(::rust::Str name) const;
  ::pinfold::bridge::PinnedFile resolve(::rust::Str name, ::pinfold::bridge::Store const &store, bool full_check) const;
  void check_signature(::rust::Str name, ::pinfold::bridge::Store const &store, ::rust::Str public_key) const;
  ::pinfold::bridge::PinnedFile pull(::rust::Str name, ::pinfold::bridge::Store const &store, ::pinfold::bridge::PullOptions const &options, ::std::unique_ptr<::pinfold::bridge::PullCallback> progress, ::pinfold::bridge::Cancel const &cancel) const;
  ::rust::Box<::pinfold::bridge::Model> load(::rust::Str name, ::pinfold::bridge::Store const &store, ::pinfold::bridge::ModelOptions const &options, ::std::unique_ptr<::pinfold::bridge::ProgressCallback> progress, ::pinfold::bridge::Cancel const &cancel) const;
  ::pinfold::bridge::VerifyReport verify(::pinfold::bridge::Store const &store, ::pinfold::bridge::VerifyOptions const &options, ::std::unique_ptr<::pinfold::bridge::VerifyCallback> progress, ::pinfold::bridge::Cancel const &cancel) const;
  ~LockFile() = delete;

private:
  friend ::rust::layout;
  struct layout {
    static ::std::size_t size() noexcept;
    static ::std::size_t align() noexcept;
  };
};
#endif // CXXBRIDGE1_STRUCT_pinfold$bridge$LockFile

::rust::Box<::pinfold::bridge::Cancel> new_cancel() noexcept;

::rust::Box<::pinfold::bridge::Model> load(::rust::Str path, ::pinfold::bridge::ModelOptions const &options, ::std::unique_ptr<::pinfold::bridge::ProgressCallback> progress, ::pinfold::bridge::Cancel const &cancel);

::rust::Box<::pinfold::bridge::Model> load_embedded(::rust::Str name, ::pinfold::bridge::ModelOptions const &options, ::std::unique_ptr<::pinfold::bridge::ProgressCallback> progress, ::pinfold::bridge::Cancel const &cancel);

::rust::Box<::pinfold::bridge::Model> load_bytes(::rust::Str name, ::rust::Slice<::std::uint8_t const> bytes, ::pinfold::bridge::ModelOptions const &options, ::std::unique_ptr<::pinfold::bridge::ProgressCallback> progress, ::pinfold::bridge::Cancel const &cancel);

::rust::Box<::pinfold::bridge::Model> scripted(::rust::Str answer, ::std::uint32_t step_microseconds, ::pinfold::bridge::ModelOptions const &options);

::rust::Box<::pinfold::bridge::Store> open_store(::pinfold::bridge::StoreOptions const &options);

::rust::Box<::pinfold::bridge::LockFile> open_lock(::rust::Str path);

::rust::Box<::pinfold::bridge::LockFile> open_signed_lock(::rust::Str path, ::rust::Str public_key);

::rust::Box<::pinfold::bridge::LockFile> open_lock_bytes(::rust::Str path, ::rust::Slice<::std::uint8_t const> bytes);

::rust::Box<::pinfold::bridge::LockFile> find_lock(::rust::Str folder);

::rust::String version() noexcept;

::rust::Vec<::pinfold::bridge::Device> devices();

::rust::Vec<::pinfold::bridge::EmbeddedInfo> embedded_checkpoints();

::pinfold::bridge::CheckpointInfo inspect_checkpoint(::rust::Str path, ::pinfold::bridge::ModelOptions const &options);

void set_log_sink(::std::unique_ptr<::pinfold::bridge::LogCallback> sink, ::pinfold::LogLevel level);
} // namespace bridge
} // namespace pinfold

#ifdef __clang__
#pragma clang diagnostic pop
#endif // __clang__
