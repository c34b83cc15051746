// The losses of glm_list.hpp by name.
#pragma once

#include <iterator>
#include <string>
#include <string_view>

#include "mlwright/base/error.hpp"
#include "mlwright/base/view.hpp"
#include "mlwright/loss/glm_list.hpp"

namespace mlwright::loss {

// The place of a name in the list; throws InvalidArgument for one that it does not have.
inline index_t glm_loss_place(std::string_view name) {
  constexpr const char* kNames[] = {
#define MLWRIGHT_NAME_OF(name, Type) #name,
      MLWRIGHT_GLM_LOSSES(MLWRIGHT_NAME_OF)
#undef MLWRIGHT_NAME_OF
  };
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (name == kNames[i]) return static_cast<index_t>(i);
  throw InvalidArgument("loss: got '" + std::string(name) + "', expected the name of a loss of generalized linear models");
}

}  // namespace mlwright::loss
