// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusWire

@Suite("Messages")
struct MessageTests {
  @Test("A message with everything in it comes back equal")
  func roundTrip() throws {
    var assignment = Proto.Assignment {
      $0.taskId = "5f"; $0.round = 1 << 40; $0.leaseId = [1, 2, 0]
    }
    assignment.model = Proto.BlobManifest {
      $0.size = 5_000_000_000; $0.chunkDigests = [9, 9]
    }
    let reply = Proto.CheckInReply {
      $0.answer = .assignment(assignment)
      $0.retry = Proto.RetryWindow {
        $0.minMs = 1; $0.maxMs = .max
      }
    }
    #expect(try Proto.CheckInReply(decoding: reply.encoded()) == reply)

    let enroll = Proto.EnrollRequest {
      $0.token = "ünïcode"
      $0.labels = ["site": "a", "": "b", "kind": ""]
    }
    #expect(try Proto.EnrollRequest(decoding: enroll.encoded()) == enroll)
    #expect(try Proto.TaskRef(decoding: []) == Proto.TaskRef())
  }

  @Test("What is said in a oneof is kept even where it is empty or zero")
  func emptyAnswer() throws {
    let reply = Proto.CheckInReply { $0.answer = .notNeeded("") }
    #expect(try Proto.CheckInReply(decoding: reply.encoded()).answer == .notNeeded(""))
    let initializer = Proto.Initializer { $0.kind = .constant(0) }
    #expect(try Proto.Initializer(decoding: initializer.encoded()).kind == .constant(0))
  }

  @Test(
    "Unknown numbers of enums are kept, negative ones too", arguments: [Int32.min, -1, 77, .max])
  func openEnums(_ number: Int32) throws {
    let info = Proto.TaskInfo { $0.state = Proto.TaskState(rawValue: number) }
    #expect(try Proto.TaskInfo(decoding: info.encoded()).state.rawValue == number)
    let list = Proto.ListTasksRequest { $0.states = [.running, .init(rawValue: number)] }
    #expect(try Proto.ListTasksRequest(decoding: list.encoded()) == list)
  }
}
