#pragma once
// One stream of a stored log as a download of its own.

#include "api/route.hpp"
#include "domain/runs/line_streams.hpp"
#include "persistence/read_port.hpp"

#include <optional>

namespace reeve::api {

/// `stream` of a query; `invalid` if it is neither stdout nor stderr.
outcome<std::optional<domain::line_stream>> stream_of(const request& r);

/// The lines of that stream as they stand in the text, and those that say that something is
/// missing. Its ETag is of these bytes: where they are the whole text, that of the text. It is told
/// how long it is before it is read; where marks or text are not what they should be, it breaks
/// off.
response download_stream(persistence::read_port& reads, uuid tenant, const domain::blob_ref& log,
                         const domain::log_streams& streams, domain::line_stream wanted);

}  // namespace reeve::api
