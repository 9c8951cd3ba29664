#pragma once
// An ordered map whose copies share what they have in common: a copy is one pointer, a change makes
// the log2(n) nodes on its way anew. So a state of thousands of entries is copied for each event at
// no cost. Values never move and live as long as a map has them. Thread-safe as a shared pointer to
// const is.
//
// An AVL tree; nodes are never changed once they are made.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace reeve {

template <class Key, class Value>
class persistent_map {
  struct node;
  using link = std::shared_ptr<const node>;

 public:
  using value_type = std::pair<const Key, Value>;

  /// In the order of the keys. Valid while the map, or a copy of it, is as it was.
  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = persistent_map::value_type;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    const_iterator() = default;
    reference operator*() const { return *path_.back()->item; }
    pointer operator->() const { return path_.back()->item.get(); }
    const_iterator& operator++() {
      const node* here = path_.back();
      path_.pop_back();
      go_left(here->right.get());
      return *this;
    }
    const_iterator operator++(int) {
      auto before = *this;
      ++*this;
      return before;
    }
    bool operator==(const const_iterator&) const = default;

   private:
    friend class persistent_map;
    void go_left(const node* from) {
      for (; from != nullptr; from = from->left.get()) path_.push_back(from);
    }
    std::vector<const node*> path_;  // those whose turn is still to come, the next one last
  };

  const_iterator begin() const {
    const_iterator it;
    it.go_left(root_.get());
    return it;
  }
  const_iterator end() const { return {}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Null if there is none.
  template <class Like>
  const Value* find(const Like& key) const {
    const auto it = lower_bound(key);
    return it != end() && !(key < it->first) ? &it->second : nullptr;
  }

  /// The first one whose key is not less.
  template <class Like>
  const_iterator lower_bound(const Like& key) const {
    const_iterator it;
    for (const node* n = root_.get(); n != nullptr;) {
      if (n->item->first < key) {
        n = n->right.get();
      } else {
        it.path_.push_back(n);
        n = n->left.get();
      }
    }
    return it;
  }

  /// Adds or replaces.
  void set(Key key, Value value) {
    if (find(key) == nullptr) ++size_;
    root_ = with(root_, std::make_shared<const value_type>(std::move(key), std::move(value)));
  }
  void erase(const Key& key) {
    if (find(key) == nullptr) return;
    --size_;
    root_ = without(root_, key);
  }

  bool operator==(const persistent_map& other) const {
    if (root_ == other.root_) return true;
    return size_ == other.size_ && std::equal(begin(), end(), other.begin());
  }

 private:
  using held = std::shared_ptr<const value_type>;

  struct node {
    held item;
    link left, right;
    int height = 1;
  };

  static int height(const link& n) { return n ? n->height : 0; }

  static link make(link left, held item, link right) {
    const int tall = std::max(height(left), height(right)) + 1;
    return std::make_shared<const node>(
        node{std::move(item), std::move(left), std::move(right), tall});
  }

  /// The same for sides whose heights differ by two at most.
  static link balanced(const link& l, held item, const link& r) {
    if (height(l) > height(r) + 1) {
      if (height(l->left) >= height(l->right)) {
        return make(l->left, l->item, make(l->right, std::move(item), r));
      }
      const auto& m = l->right;
      return make(make(l->left, l->item, m->left), m->item, make(m->right, std::move(item), r));
    }
    if (height(r) > height(l) + 1) {
      if (height(r->right) >= height(r->left)) {
        return make(make(l, std::move(item), r->left), r->item, r->right);
      }
      const auto& m = r->left;
      return make(make(l, std::move(item), m->left), m->item, make(m->right, r->item, r->right));
    }
    return make(l, std::move(item), r);
  }

  static link with(const link& n, held item) {
    if (!n) return make({}, std::move(item), {});
    if (item->first < n->item->first) {
      return balanced(with(n->left, std::move(item)), n->item, n->right);
    }
    if (n->item->first < item->first) {
      return balanced(n->left, n->item, with(n->right, std::move(item)));
    }
    return make(n->left, std::move(item), n->right);
  }

  static link without(const link& n, const Key& key) {
    if (key < n->item->first) return balanced(without(n->left, key), n->item, n->right);
    if (n->item->first < key) return balanced(n->left, n->item, without(n->right, key));
    if (!n->left) return n->right;
    if (!n->right) return n->left;
    const node* next = n->right.get();
    while (next->left) next = next->left.get();
    return balanced(n->left, next->item, without(n->right, next->item->first));
  }

  link root_;
  std::size_t size_ = 0;
};

}  // namespace reeve
