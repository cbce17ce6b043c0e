// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct StoreTests {
  private static func table(in store: Store) async throws {
    try await store.write { transaction in
      try transaction.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")
    }
  }

  @Test("Every kind of value comes back as it was stored")
  func storesValues() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    try await store.write { transaction in
      try transaction.run(
        "CREATE TABLE kinds (a INTEGER, b INTEGER, c REAL, d TEXT, e BLOB, f BLOB, g INTEGER) STRICT"
      )
      try transaction.run(
        "INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?)", Int64.min, UInt64.max, 0.1, "a\0ü",
        [0, 255] as [UInt8], [] as [UInt8], nil as Int?)
    }
    let isRight = try await store.read { transaction in
      try transaction.first("SELECT * FROM kinds") { row throws(AggregatorError) -> Bool in
        let (a, b, c): (Int64, UInt64, Double) = (try row[0], try row[1], try row[2])
        let (d, e, f): (String, [UInt8], [UInt8]) = (try row[3], try row[4], try row[5])
        let g: Int? = try row[6]
        return a == .min && b == .max && c == 0.1 && d == "a\0ü" && e == [0, 255] && f == []
          && g == nil
      }
    }
    #expect(isRight == true)
    await #expect(throws: AggregatorError.self) {
      try await store.read { try $0.value("SELECT d FROM kinds", as: Int.self) }
    }
    await store.close()
  }

  @Test("What one closure throws undoes its own writes and nobody else's")
  func undoesAlone() async throws {
    struct Refusal: Error {}
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    try await Self.table(in: store)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask {
          do {
            try await store.write { transaction in
              try transaction.run("INSERT INTO notes VALUES (?, 'x')", number)
              if number % 2 == 1 { throw Refusal() }
            }
            #expect(number % 2 == 0)
          } catch is Refusal {
            #expect(number % 2 == 1)
          }
        }
      }
      try await group.waitForAll()
    }
    let ids = try await store.read { transaction in
      try transaction.rows("SELECT id FROM notes ORDER BY id") {
        row throws(AggregatorError) -> Int in
        try row[0]
      }
    }
    #expect(ids == Array(stride(from: 0, to: 40, by: 2)))
    await store.close()
  }

  @Test("Many writers and readers at once see one database, and every write that returned")
  func serializesWriters() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    try await Self.table(in: store)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<16 {
        group.addTask {
          for number in 0..<25 {
            let id = writer * 1_000 + number
            let count = try await store.write { transaction -> Int in
              try transaction.run("INSERT INTO notes VALUES (?, 'x')", id)
              return try transaction.value("SELECT count(*) FROM notes") ?? 0
            }
            let seen = try await store.read { transaction -> (Int, Int) in
              (
                try transaction.value("SELECT count(*) FROM notes") ?? 0,
                try transaction.value("SELECT count(*) FROM notes WHERE id = ?", id) ?? 0
              )
            }
            #expect(seen.0 >= count && seen.1 == 1)
          }
        }
      }
      try await group.waitForAll()
    }
    let count = try await store.read { try $0.value("SELECT count(*) FROM notes", as: Int.self) }
    #expect(count == 400)
    await store.close()
  }

  @Test("A read sees one state, and cannot write")
  func readsOnly() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    try await Self.table(in: store)
    await #expect(throws: AggregatorError.self) {
      try await store.read { try $0.run("INSERT INTO notes VALUES (1, 'x')") }
    }
    try await store.write { try $0.run("INSERT INTO notes VALUES (1, 'x')") }
    await store.close()
  }

  @Test("A row that is there already is told apart from other errors")
  func tellsDuplicates() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    try await Self.table(in: store)
    try await store.write { try $0.run("INSERT INTO notes VALUES (1, 'x')") }
    let error = await #expect(throws: AggregatorError.self) {
      try await store.write { try $0.run("INSERT INTO notes VALUES (1, 'y')") }
    }
    #expect(error?.code == .constraint && error?.sqlite?.isDuplicate == true)
    let other = await #expect(throws: AggregatorError.self) {
      try await store.write { try $0.run("INSERT INTO notes VALUES (2, ?)", nil as String?) }
    }
    #expect(other?.code == .constraint && other?.sqlite?.isDuplicate == false)
    await store.close()
  }

  @Test("Every connection keeps its log, syncs every commit and checks foreign keys")
  func hasPragmas() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    let values = try await store.write { transaction in
      [
        try transaction.value("PRAGMA journal_mode", as: String.self) ?? "",
        "\(try transaction.value("PRAGMA synchronous", as: Int.self) ?? -1)",
        "\(try transaction.value("PRAGMA foreign_keys", as: Int.self) ?? -1)",
        "\(try transaction.value("PRAGMA wal_autocheckpoint", as: Int.self) ?? -1)",
      ]
    }
    #expect(values == ["wal", "2", "1", "0"])
    await store.close()
  }

  @Test("The log is moved into the database before it grows without end")
  func checkpoints() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    try await store.write { try $0.run("CREATE TABLE much (data BLOB) STRICT") }
    for _ in 0..<24 {
      try await store.write {
        try $0.run("INSERT INTO much VALUES (?)", [UInt8](repeating: 7, count: 1 << 20))
      }
    }
    let log = try FileManager.default.attributesOfItem(atPath: place.path("apus.sqlite-wal"))
    #expect((log[.size] as? Int ?? .max) < 12 << 20)
    await store.close()
  }

  @Test("What was written is there in the next incarnation, whose epoch is the next")
  func reopens() async throws {
    let place = try StoreWorkplace()
    for epoch in UInt64(1)...3 {
      let store = try Store.open(place.path)
      #expect(store.epoch == epoch)
      if epoch == 1 { try await Self.table(in: store) }
      try await store.write { transaction in
        #expect(transaction.epoch == epoch)
        try transaction.run("INSERT INTO notes VALUES (?, 'x')", epoch)
      }
      let count = try await store.read {
        try $0.value("SELECT count(*) FROM notes", as: UInt64.self)
      }
      #expect(count == epoch)
      await store.close()
    }
  }

  @Test("Of two aggregators in one directory the second is refused, and told who is there")
  func keepsDirectoriesApart() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    let error = #expect(throws: AggregatorError.self) { try Store.open(place.path) }
    #expect(error?.code == .directoryInUse)
    #expect(error?.message.contains("process \(getpid())") == true)
    try await store.write { try $0.run("CREATE TABLE still (here INTEGER)") }
    await store.close()
  }

  @Test("An incarnation that was overtaken writes nothing more")
  func fencesOldIncarnations() async throws {
    let place = try StoreWorkplace()
    let told = Told<AggregatorError>()
    let old = try Store.open(place.path, onFatal: { told.add($0) })
    try await Self.table(in: old)
    // As on a file system without locks, or where somebody has removed the file.
    try FileManager.default.removeItem(atPath: place.path("lock"))
    let new = try Store.open(place.path)
    #expect(new.epoch == old.epoch + 1)
    for _ in 0..<2 {
      let error = await #expect(throws: AggregatorError.self) {
        try await old.write { try $0.run("INSERT INTO notes VALUES (1, 'old')") }
      }
      #expect(error?.code == .fenced)
    }
    #expect(told.values.map(\.code) == [.fenced])
    let count = try await new.read { try $0.value("SELECT count(*) FROM notes", as: Int.self) }
    #expect(count == 0)
    await old.close()
    await new.close()
  }

  @Test("After the store is closed nothing is written, and what waited before was")
  func closes() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path)
    try await Self.table(in: store)
    let writes = (0..<50).map { number in
      Task { try await store.write { try $0.run("INSERT INTO notes VALUES (?, 'x')", number) } }
    }
    await store.close()
    var doneCount = 0
    for write in writes where (try? await write.value) != nil { doneCount += 1 }
    let error = await #expect(throws: AggregatorError.self) { try await store.write { _ in } }
    #expect(error?.code == .storeClosed)
    let database = try Database(path: place.path("apus.sqlite"))
    let count: Int? = try database.first("SELECT count(*) FROM notes") {
      row throws(AggregatorError) in try row[0]
    }
    #expect(count == doneCount)
  }

  @Test("A file of another program and one of a later version are refused and left alone")
  func refusesForeignFiles() throws {
    let place = try StoreWorkplace()
    for (name, script, code) in [
      ("foreign", "CREATE TABLE theirs (x)", AggregatorError.Code.foreignStore),
      (
        "later", "PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = 99",
        .newerStore
      ),
    ] {
      let directory = place.path(name)
      try DirectoryLock.make(directory)
      try Database(path: directory + "/apus.sqlite").execute(script)
      let error = #expect(throws: AggregatorError.self) { try Store.open(directory) }
      #expect(error?.code == code, "\(error?.message ?? "")")
    }
    let directory = place.path("text")
    try DirectoryLock.make(directory)
    try Data("This is no database, but a note.".utf8)
      .write(to: URL(fileURLWithPath: directory + "/apus.sqlite"))
    let error = #expect(throws: AggregatorError.self) { try Store.open(directory) }
    #expect(error?.code == .damagedStore)
  }

  @Test("Directories that hold state are for their owner only")
  func keepsPermissions() async throws {
    let place = try StoreWorkplace()
    let store = try Store.open(place.path("a/b"))
    let attributes = try FileManager.default.attributesOfItem(atPath: place.path("a/b"))
    #expect(attributes[.posixPermissions] as? Int == 0o700)
    await store.close()
  }
}
