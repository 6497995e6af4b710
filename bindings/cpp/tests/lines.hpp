// Reads what `cases_as_lines.py` prints.
#ifndef PINFOLD_TESTS_LINES_HPP
#define PINFOLD_TESTS_LINES_HPP

#include <algorithm>
#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

/// The fields of a model or a step, as they stand in the line.
class Fields {
 public:
  void put(const std::string& field) {
    const std::size_t equals = field.find('=');
    fields_[field.substr(0, equals)] = field.substr(equals + 1);
  }

  bool has(const std::string& key) const { return fields_.count(key) != 0; }

  std::string text(const std::string& key) const { return has(key) ? decoded(fields_.at(key)) : ""; }

  std::vector<std::string> texts(const std::string& key) const {
    std::vector<std::string> values;
    const std::string all = has(key) ? fields_.at(key) : "";
    for (std::size_t start = 0; !all.empty() && start <= all.size();) {
      const std::size_t end = std::min(all.find(',', start), all.size());
      values.push_back(decoded(all.substr(start, end - start)));
      start = end + 1;
    }
    return values;
  }

  std::uint64_t number(const std::string& key) const { return std::stoull(text(key)); }

  std::optional<std::uint32_t> small(const std::string& key) const {
    return has(key) ? std::optional<std::uint32_t>(static_cast<std::uint32_t>(number(key))) : std::nullopt;
  }

  float real(const std::string& key, float otherwise) const { return has(key) ? std::stof(text(key)) : otherwise; }

  std::vector<std::uint32_t> numbers(const std::string& key) const {
    std::vector<std::uint32_t> values;
    for (const std::string& value : texts(key)) {
      values.push_back(static_cast<std::uint32_t>(std::stoul(value)));
    }
    return values;
  }

  static std::string decoded(const std::string& value) {
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '%') {
        out += static_cast<char>(std::stoi(value.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += value[i];
      }
    }
    return out;
  }

 private:
  std::map<std::string, std::string> fields_;
};

struct Case {
  std::string name;
  /// Of the lock file, if the case begins with one, else of the model.
  Fields source;
  bool has_lock = false;
  std::vector<Fields> steps;
};

inline std::vector<Case> read_cases(std::istream& in) {
  std::vector<Case> cases;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= line.size();) {
      const std::size_t end = std::min(line.find('\t', start), line.size());
      parts.push_back(line.substr(start, end - start));
      start = end + 1;
    }
    const std::string kind = parts.front();
    if (kind == "case") {
      cases.push_back({Fields::decoded(parts.at(1)), {}, false, {}});
      continue;
    }
    Fields fields;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      fields.put(parts[i]);
    }
    if (kind == "model" || kind == "lock") {
      cases.back().source = fields;
      cases.back().has_lock = kind == "lock";
    } else if (kind == "step") {
      cases.back().steps.push_back(fields);
    } else {
      throw std::runtime_error("a line of no kind: " + kind);
    }
  }
  return cases;
}

#endif
