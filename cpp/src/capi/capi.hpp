// The table of mlwright/capi.h; it lives as long as the process.
#pragma once

#include "mlwright/capi.h"

namespace mlwright::capi {

const mlwright_api& table() noexcept;

}  // namespace mlwright::capi
