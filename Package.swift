// swift-tools-version: 6.2
// Apus, federated learning in Swift. SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library of the system, found through pkg-config.
func system(_ name: String, pkgConfig: String, apt: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// A module of ours and the modules that it may import; its tests are in `Tests/<name>Tests`.
func module(
  _ name: String, _ imports: [Target.Dependency], resources: [Resource]? = nil,
  and more: [SwiftSetting] = []
) -> Target {
  .target(name: name, dependencies: imports, resources: resources, swiftSettings: settings + more)
}

func tests(
  of name: String, with imports: [Target.Dependency] = [], resources: [Resource]? = nil
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name), "OwnThreads"] + imports,
    resources: resources, swiftSettings: settings)
}

let package = Package(
  name: "apus",
  products: [
    .library(
      name: "Apus",
      targets: [
        "ApusNumerics", "ApusData", "ApusCatalog", "ApusTraining", "ApusModels", "ApusAlgorithms",
        "ApusRounds", "ApusSimulation",
      ]),
    // What a device's app imports.
    .library(name: "ApusEdge", targets: ["ApusEdge"]),
    .executable(name: "apus", targets: ["apus"]),
    // A device alone: no Foundation, no aggregator, no simulator.
    .executable(name: "apus-device", targets: ["apus-device"]),
  ],
  targets: [
    // 0
    system("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev"),
    system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    system("CProtobufC", pkgConfig: "libprotobuf-c", apt: "libprotobuf-c-dev"),
    system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    system("CNghttp2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev"),
    system("CUV", pkgConfig: "libuv", apt: "libuv1-dev"),
    system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
    system("CQREncode", pkgConfig: "libqrencode", apt: "libqrencode-dev"),
    .target(name: "ApusProtocols", dependencies: ["CProtobufC"]),
    .target(name: "CApus"),
    // 1
    module("ApusNumerics", ["CApus", "COpenSSL"]),
    // 2
    module("ApusData", ["ApusNumerics", "CApus", "CZlib"]),
    // 3
    module(
      "ApusCatalog", ["ApusData", "ApusNumerics"], resources: [.copy("Resources/digits")]),
    module("ApusTraining", ["ApusNumerics", "ApusData", "CApus"]),
    module("ApusAlgorithms", ["ApusNumerics", "ApusData"]),
    // 4
    module("ApusModels", ["ApusTraining", "ApusNumerics"]),
    module("ApusRounds", ["ApusAlgorithms", "ApusNumerics"]),
    module(
      "ApusWire",
      [
        "ApusTraining", "ApusAlgorithms", "ApusData", "ApusNumerics", "ApusProtocols", "CProtobufC",
        "CZstd",
      ]),
    // 5
    module(
      "ApusTransport", ["ApusWire", "ApusNumerics", "COpenSSL", "CNghttp2", "CUV"]),
    // 6
    module(
      "ApusAggregator",
      [
        "ApusTransport", "ApusWire", "ApusRounds", "ApusTraining", "ApusAlgorithms", "ApusData",
        "ApusNumerics", "CSQLite",
      ],
      // Places where tests kill the process; release builds have none.
      and: [.define("APUS_FAILPOINTS", .when(configuration: .debug))]),
    module(
      "ApusEdge",
      [
        "ApusTransport", "ApusWire", "ApusTraining", "ApusAlgorithms", "ApusData", "ApusNumerics",
      ]),
    module("ApusCoordination", ["ApusTransport", "ApusWire", "ApusNumerics"]),
    module(
      "ApusSimulation",
      [
        "ApusWire", "ApusRounds", "ApusModels", "ApusTraining", "ApusAlgorithms", "ApusCatalog",
        "ApusData", "ApusNumerics",
      ]),
    // 7
    module(
      "ApusCommands",
      ["ApusEdge", "ApusTransport", "ApusData", "ApusNumerics", "CApus"]),
    // 8
    .executableTarget(
      name: "apus-device", dependencies: ["ApusCommands"], swiftSettings: settings),
    .executableTarget(
      name: "apus",
      dependencies: [
        "ApusCommands",
        "ApusAggregator", "ApusEdge", "ApusCoordination", "ApusSimulation", "ApusTransport",
        "ApusWire", "ApusRounds", "ApusModels", "ApusTraining", "ApusAlgorithms", "ApusCatalog",
        "ApusData", "ApusNumerics", "CApus", "CQREncode",
      ],
      swiftSettings: settings),

    // Tools; no product needs them.
    .target(name: "CLimits", path: "Benchmarks/CLimits"),
    .systemLibrary(
      name: "COpenBLAS", path: "Benchmarks/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"])]),
    .executableTarget(
      name: "apus-bench",
      dependencies: [
        "ApusAggregator", "ApusTransport", "ApusWire", "ApusAlgorithms", "ApusModels",
        "ApusTraining", "ApusCatalog", "ApusData", "ApusNumerics", "CApus", "CLimits", "COpenBLAS",
      ],
      path: "Benchmarks/ApusBench", swiftSettings: settings),

    .target(name: "CAllocationCounter", path: "Tests/Support/CAllocationCounter"),
    .target(name: "OwnThreads", path: "Tests/Support/OwnThreads", swiftSettings: settings),
    tests(of: "ApusNumerics", with: ["CApus"], resources: [.copy("Goldens")]),
    .target(
      name: "DataFixtures", dependencies: ["ApusData", "ApusNumerics"],
      path: "Tests/Support/DataFixtures",
      swiftSettings: settings),
    tests(of: "ApusData", with: ["ApusNumerics", "DataFixtures"]),
    tests(of: "ApusCatalog", with: ["ApusData", "ApusNumerics", "DataFixtures"]),
    tests(
      of: "ApusTraining",
      with: ["ApusData", "ApusNumerics", "ApusModels", "CAllocationCounter"],
      resources: [.copy("Goldens")]),
    tests(of: "ApusModels", with: ["ApusTraining", "ApusNumerics", "ApusData"]),
    tests(of: "ApusAlgorithms", with: ["ApusNumerics", "ApusData"]),
    tests(of: "ApusRounds", with: ["ApusAlgorithms", "ApusNumerics"]),
    tests(
      of: "ApusWire",
      with: [
        "ApusModels", "ApusTraining", "ApusAlgorithms", "ApusData", "ApusNumerics", "ApusProtocols",
      ],
      resources: [.copy("Goldens")]),
    tests(
      of: "ApusTransport", with: ["ApusWire", "ApusNumerics", "COpenSSL", "CNghttp2", "CUV"],
      resources: [.copy("Abuse"), .copy("Conformance")]),
    tests(
      of: "ApusAggregator",
      with: [
        "ApusEdge", "ApusTransport", "ApusWire", "ApusRounds", "ApusModels", "ApusTraining",
        "ApusAlgorithms",
        "ApusData", "ApusNumerics", "CSQLite",
      ]),
    tests(
      of: "ApusEdge",
      with: [
        "ApusTransport", "ApusWire", "ApusModels", "ApusTraining", "ApusAlgorithms", "ApusData",
        "ApusNumerics",
      ]),
    tests(of: "ApusCoordination", with: ["ApusTransport", "ApusWire", "ApusNumerics"]),
    tests(
      of: "ApusSimulation",
      with: [
        "ApusWire", "ApusRounds", "ApusModels", "ApusTraining", "ApusAlgorithms", "ApusCatalog",
        "ApusData", "ApusNumerics",
      ]),
    tests(
      of: "apus",
      with: [
        "ApusCommands", "apus-device",
        "ApusAggregator", "ApusEdge", "ApusCoordination", "ApusSimulation", "ApusTransport",
        "ApusWire", "ApusCatalog", "ApusData", "ApusNumerics",
      ]),
    .testTarget(
      name: "ArchitectureTests", dependencies: ["OwnThreads"], swiftSettings: settings),
    // Kills and bad networks; `make torture` runs its long form.
    .testTarget(
      name: "TortureTests",
      dependencies: ["apus", "ApusEdge", "ApusTransport", "ApusWire", "OwnThreads"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
