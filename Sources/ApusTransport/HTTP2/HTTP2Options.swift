// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

/// What one side of HTTP/2 allows the other.
struct HTTP2Options: Sendable {
  var isServer: Bool
  var streams: Int
  /// Of a stream, in bytes.
  var window: Int
  /// Of the connection: a few streams' worth, so that one whose handler is busy does not hold up the others.
  var connectionWindow: Int { window * 4 }
  var headerListSize: Int

  /// Limits of nghttp2's own, against floods.
  ///
  /// > Values: CVE-2023-44487 (resets), CVE-2024-28182 (CONTINUATION), CVE-2019-9512 (PING), -9515 (SETTINGS).
  func makeNative() -> OpaquePointer? {
    var option: OpaquePointer?
    guard nghttp2_option_new(&option) == 0 else { return nil }
    nghttp2_option_set_no_auto_window_update(option, 1)
    nghttp2_option_set_no_closed_streams(option, 1)
    nghttp2_option_set_max_outbound_ack(option, 100)
    nghttp2_option_set_max_settings(option, 32)
    nghttp2_option_set_max_continuations(option, 8)
    nghttp2_option_set_stream_reset_rate_limit(option, 100, 10)
    nghttp2_option_set_max_reserved_remote_streams(option, 0)
    // Tables of headers seen before are memory that every idle connection would hold.
    nghttp2_option_set_max_deflate_dynamic_table_size(option, 0)
    nghttp2_option_set_max_send_header_block_length(option, 64 << 10)
    return option
  }

  /// What is said in the first SETTINGS.
  var settings: [nghttp2_settings_entry] {
    var entries: [(NGHTTP2_SETTINGS: nghttp2_settings_id, value: Int)] = [
      (NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0),
      (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window),
      (NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 64 << 10),
      (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, headerListSize),
      (NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
    ]
    if isServer {
      entries.append((NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams))
    } else {
      entries.append((NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
    }
    return entries.map {
      nghttp2_settings_entry(settings_id: Int32($0.0.rawValue), value: UInt32($0.1))
    }
  }
}
